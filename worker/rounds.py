"""Small things done again and again from a thread, whatever happens to the database meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from core.errors import Unavailable

log = logging.getLogger(__name__)


def elapsed_s() -> float:
    """Seconds that only grow, those of a suspended machine included (Linux): a lease runs out in them too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Guard:
    """Calls what may fail: the first failure is logged, and that it is over, but not each one between."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing = False

    def call(self, do: Callable[[], object]) -> None:
        """Call `do`; its errors end here."""
        try:
            do()
        except Unavailable as away:
            self._note(f"{self._name} waits for the database: {away}")
        except Exception as broken:  # noqa: BLE001 - a thread's edge: it must outlive anything
            self._note(f"{self._name} failed and tries again: {broken!r}", trace=broken)
        else:
            if self._failing:
                log.warning("%s goes on", self._name)
            self._failing = False

    def _note(self, text: str, trace: Exception | None = None) -> None:
        log.log(logging.DEBUG if self._failing else logging.WARNING, text, exc_info=trace)
        self._failing = True


class Round:
    """Calls `do` every `every_s` seconds from its own thread until it is stopped."""

    def __init__(self, name: str, do: Callable[[], None], *, every_s: float) -> None:
        self._do = do
        self._every_s = every_s
        self._guard = Guard(name)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_round, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first call comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further call."""
        self._stop.set()

    def _go_round(self) -> None:
        while not self._stop.wait(self._every_s):
            self._guard.call(self._do)
