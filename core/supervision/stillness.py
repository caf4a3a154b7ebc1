"""How long a run has made no step."""

from __future__ import annotations

from collections.abc import Iterable

from core.events import Checkpointed, EpochDone, RunEvent, Started
from core.job import Progress

_STEPS = (Progress, EpochDone)
_SIGNS = (*_STEPS, Started, Checkpointed)
_AT_FIRST = 4
"""Before the first step data is read and kernels are chosen: a stall may take so many times as long."""


class Stillness:
    """The seconds since a run last told of a step, added up by who watches it.

    So the time in which the watcher itself stood still (a stopped process, a suspended laptop) is nobody's stall.
    """

    def __init__(self) -> None:
        self._still_s = 0.0
        self._stepped = False
        self.begun = False
        """Whether there is anything that a checkpoint would keep."""

    def hear(self, events: Iterable[RunEvent]) -> None:
        """Note what the run told."""
        for event in events:
            if isinstance(event, _SIGNS):
                self._still_s = 0.0
                self.begun = True
                self._stepped = self._stepped or isinstance(event, _STEPS)

    def wait(self, seconds: float) -> None:
        """Note that so much time went by."""
        self._still_s += seconds

    def lasts(self, stall_timeout_s: float) -> bool:
        """Whether the run has stalled."""
        return self._still_s > stall_timeout_s * (1 if self._stepped else _AT_FIRST)
