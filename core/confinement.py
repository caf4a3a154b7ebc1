"""How a process that works for the service keeps within its bounds, and ends with it."""

from __future__ import annotations

import math
import os
import resource
import signal
import threading
import time

_NICE = 5
_SPARE_S = 5
_LOOK_S = 1.0


def confine(*, memory_bytes: int, seconds: float, writes: bool) -> None:
    """Take no more memory and time than allowed, write no file unless it `writes`, and let the service go first.

    The service ends this process when its time is up; the alarm does if the service stands still.
    """
    os.nice(_NICE)
    bounds = {resource.RLIMIT_DATA: memory_bytes, resource.RLIMIT_CORE: 0}
    if not writes:
        bounds[resource.RLIMIT_FSIZE] = 0
    for kind, most in bounds.items():
        resource.setrlimit(kind, (most, most))
    signal.alarm(math.ceil(seconds) + _SPARE_S)


def follow(service: int) -> None:
    """End with the process `service`: one that is stopped in the middle of it leaves nothing running."""
    threading.Thread(target=_follow, args=(service,), daemon=True).start()


def _follow(service: int) -> None:
    while os.getppid() == service:
        time.sleep(_LOOK_S)
    os._exit(1)
