"""The process that looks into one file: a request as JSON comes in, the answer as JSON goes out."""

from __future__ import annotations

import json
import sys

from core.confinement import confine, follow
from core.intake.inspection import answer


def main() -> None:
    """Answer one request within its limits, for as long as there is somebody to answer."""
    request = json.load(sys.stdin)
    follow(request["service"])
    limits = request["limits"]
    confine(memory_bytes=limits["memory_bytes"], seconds=limits["seconds"], writes=False)
    json.dump(answer(request), sys.stdout)


if __name__ == "__main__":
    main()
