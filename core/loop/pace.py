"""How far a run is and how long it will take, told at most twice a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.job import Progress

INTERVAL_S = 0.5


class Pace:
    """Says when a reading is due, and makes it; a reading costs a look at the device, so it is rare.

    `done` steps were made before: they count as progress, not as speed.
    """

    def __init__(self, epochs: int, steps: int, *, done: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._epochs, self._steps, self._clock = epochs, steps, clock
        self._before = done
        self._started = self._told = clock()

    def due(self) -> bool:
        """Whether the last reading is old enough for another."""
        return self._clock() - self._told >= INTERVAL_S

    def reading(self, epoch: int, step: int) -> Progress:
        """How far the run is after `step` of `epoch` (both from 1), and what is left at the speed since it was here."""
        self._told = self._clock()
        done = (epoch - 1) * self._steps + step
        left = self._epochs * self._steps - done
        step_s = (self._told - self._started) / (done - self._before)
        return Progress(epoch, self._epochs, step, self._steps, eta_s=step_s * left)

    def behind(self, epoch: int, *, left_s: float) -> Progress:
        """The run is behind its last `epoch`, and what is measured then takes so long."""
        self._told = self._clock()
        return Progress(epoch, epoch, self._steps, self._steps, eta_s=left_s)
