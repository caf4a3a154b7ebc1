"""The process that looks into one file: a request as JSON comes in, the answer as JSON goes out."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from core.intake.inspection import answer

_NICE = 5
_SPARE_S = 5
_LOOK_S = 1.0


def main() -> None:
    """Answer one request within its limits, for as long as there is somebody to answer."""
    request = json.load(sys.stdin)
    threading.Thread(target=_follow, args=(request["service"],), daemon=True).start()
    confine(request["limits"])
    json.dump(answer(request), sys.stdout)


def confine(limits: dict[str, Any]) -> None:
    """Take no more memory and time than allowed, write no file, and let the service go first.

    The service ends this process when its time is up; the alarm does if the service stands still.
    """
    os.nice(_NICE)
    for kind, most in (
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    signal.alarm(math.ceil(limits["seconds"]) + _SPARE_S)


def _follow(service: int) -> None:
    """End with the service: one that was stopped in the middle of a look leaves nothing running."""
    while os.getppid() == service:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
