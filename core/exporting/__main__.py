"""The process that exports one model: a request as JSON comes in, a file is written, the answer as JSON goes out."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout

from core.confinement import confine, follow


def main() -> None:
    """Answer one request within its limits, for as long as there is somebody to answer."""
    request = json.load(sys.stdin)
    follow(request["service"])
    confine(memory_bytes=request["memory_bytes"], seconds=request["seconds"], writes=True)
    out = sys.stdout
    with redirect_stdout(sys.stderr):  # what libraries print is no answer
        from core.exporting.work import answer

        told = answer(request)
    json.dump(told, out)
    out.flush()
    os._exit(0)  # past torch's own shutdown, which may wait for its threads


if __name__ == "__main__":
    main()
