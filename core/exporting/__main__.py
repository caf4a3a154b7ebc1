"""The process that exports one model: a request as JSON comes in, a file is written, the answer as JSON goes out."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import sys
import threading
import time
from contextlib import redirect_stdout
from typing import Any

_NICE = 5
_SPARE_S = 5
_LOOK_S = 1.0


def main() -> None:
    """Answer one request within its limits, for as long as there is somebody to answer."""
    request = json.load(sys.stdin)
    threading.Thread(target=_follow, args=(request["service"],), daemon=True).start()
    _confine(request)
    out = sys.stdout
    with redirect_stdout(sys.stderr):  # what libraries print is no answer
        from core.exporting.work import answer

        told = answer(request)
    json.dump(told, out)
    out.flush()
    os._exit(0)  # past torch's own shutdown, which may wait for its threads


def _confine(request: dict[str, Any]) -> None:
    """Take no more memory and time than allowed, and let the service go first.

    The service ends this process when its time is up; the alarm does if the service stands still.
    """
    os.nice(_NICE)
    for kind, most in ((resource.RLIMIT_DATA, request["memory_bytes"]), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (most, most))
    signal.alarm(math.ceil(request["seconds"]) + _SPARE_S)


def _follow(service: int) -> None:
    """End with the service: one that was stopped in the middle of an export leaves nothing running."""
    while os.getppid() == service:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
