"""When a run is kept on disk: by time, at epochs' ends, and when it is asked to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.checkpoint import Checkpoint, Occasion, Stage
from core.events import Checkpointed
from core.job import EpochRow
from core.loop.checkpoints import write
from core.loop.run import Run


@dataclass(frozen=True)
class Saving:
    """Where a run leaves checkpoints (None: nowhere), and those it may go on from, the newest first.

    `lineage` are the earlier stages of a forked job: a checkpoint says in which of them it was taken.
    """

    folder: Path | None = None
    candidates: tuple[Checkpoint, ...] = ()
    lineage: tuple[Stage, ...] = ()


def never() -> bool:
    """Nobody asks the run to stop."""
    return False


class StopAsked(Exception):
    """The run was asked to stop, and nothing that it did is lost."""


class Cadence:
    """Takes the checkpoints that the spec of `run` wants, and one more when `stop` says that the run should stop."""

    def __init__(
        self,
        run: Run,
        *,
        folder: Path | None,
        stop: Callable[[], bool] = never,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run, self._folder, self._stop, self._clock = run, folder, stop, clock
        self._saved = self._place
        self._next = self._after_pause()

    def due(self) -> bool:
        """Whether it is time for a checkpoint, or to stop; asked at every step. The leader's word counts."""
        return self._clock() >= self._next or self._stop()

    def look(self) -> Iterator[Checkpointed]:
        """Take the checkpoint that is due, if anything is new; raises StopAsked behind it when the run should stop."""
        (stopping,) = self._run.peers.agree(self._stop())
        yield from self.take(Occasion.STOP if stopping else Occasion.TIME)
        if stopping:
            raise StopAsked

    def after_epoch(self, row: EpochRow, *, over: bool) -> Iterator[Checkpointed]:
        """Take the checkpoint that the end of an epoch asks for; a run that is `over` has nothing more to stop."""
        wishes = self._run.spec.checkpoints
        if wishes.keep_best and self._run.leaders.see(row):
            yield from self.take(Occasion.BEST)
        if wishes.every_epochs and row.epoch % wishes.every_epochs == 0:
            yield from self.take(Occasion.EPOCH)
        if not over:
            yield from self.look_if_due()

    def look_if_due(self) -> Iterator[Checkpointed]:
        """Take the checkpoint that is due between two epochs; raises StopAsked when the run should stop."""
        (due,) = self._run.peers.agree(self.due())
        if due:
            yield from self.look()

    def take(self, occasion: Occasion, *, again: bool = False) -> Iterator[Checkpointed]:
        """Take a checkpoint, unless no step was made since the last one; `again`: all the same."""
        if self._folder is None or (self._saved == self._place and not again):
            return
        with self._run.tally.aside():
            checkpoint = write(self._run, self._folder, occasion)
            self._saved, self._next = self._place, self._after_pause()
            if checkpoint is not None:
                yield Checkpointed(checkpoint)

    @property
    def _place(self) -> tuple[int, int]:
        return self._run.position.epoch, self._run.position.step

    def _after_pause(self) -> float:
        pause = self._run.spec.checkpoints.every_s
        return math.inf if self._folder is None or pause is None else self._clock() + pause
