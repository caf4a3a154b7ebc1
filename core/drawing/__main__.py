"""The process that draws one picture: a report and a figure's name come in as JSON, the picture goes out."""

from __future__ import annotations

import json
import sys

from core.drawing.sheet import saved


def main() -> None:
    """Draw what is asked for."""
    asked = json.load(sys.stdin)
    sys.stdout.buffer.write(saved(asked["report"], figure=asked["figure"], format=asked["format"]))


if __name__ == "__main__":
    main()
