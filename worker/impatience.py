"""A signal that comes while a process already ends: whoever repeats it wants no more grace."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heard_by(hurry: Callable[[], None]) -> Iterator[None]:
    """Call `hurry` at each SIGINT or SIGTERM meanwhile; in another than the main thread no signal is heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(*_: object) -> None:
        # in a thread: the signal may have interrupted anything, with any lock held
        threading.Thread(target=hurry, name="hurry", daemon=True).start()

    before = {number: signal.signal(number, hear) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, heard in before.items():
            signal.signal(number, heard)
