"""Runs that are interrupted and go on: what they tell, the checkpoints they leave, and the bits they end with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from core.checkpoint import Checkpoint, Stage
from core.events import Checkpointed, EpochDone, Finished, Noticed, Resumed, RunEvent, Started, Stopped
from core.files import sha256
from core.job import EpochRow
from core.loop import Saving, train
from core.loop.cadence import never
from core.loop.training import NONE
from core.shelf import Folders
from core.spec import parse_spec

Event = TypeVar("Event")


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run: what it told, and where it left its files."""

    folder: Path
    events: list[RunEvent] = field(default_factory=list)

    def every(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """In the order in which they were taken, with absolute paths, as an order has them."""
        kept = [event.checkpoint for event in self.every(Checkpointed)]
        return [replace(one, path=str(self.folder / "checkpoints" / one.path)) for one in kept]

    @property
    def notices(self) -> list[str]:
        return [notice.code for notice in self.every(Noticed)]

    @property
    def resumed(self) -> Resumed | None:
        return self.every(Started)[0].resumed

    @property
    def rows(self) -> list[EpochRow]:
        return [epoch.row for epoch in self.every(EpochDone)]

    @property
    def stopped(self) -> bool:
        return bool(self.every(Stopped))

    @property
    def bits(self) -> list[Any]:
        """Every figure to the last bit, which epochs were the best, how it ended, the weights, what was told then."""
        epochs = [(bits(epoch.row), epoch.best) for epoch in self.every(EpochDone)]
        return [*epochs, *(self._end(finished) for finished in self.every(Finished))]

    def _end(self, finished: Finished) -> tuple[Any, ...]:
        test = {name: float(figure).hex() for name, figure in (finished.test or {}).items()}
        return finished.reason, sha256(self.weights), test, finished.folds, finished.seeds, finished.sharpness

    @property
    def epochs_marked_best(self) -> list[int]:
        return [epoch.row.epoch for epoch in self.every(EpochDone) if epoch.best]

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights it left."""
        epoch: int = json.loads((self.folder / "model.json").read_text())["weights"]["epoch"]
        return epoch

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"


def bits(row: EpochRow) -> list[tuple[str, str]]:
    return [(name, float(figure).hex()) for name, figure in row.figures().items()]


@dataclass(frozen=True)
class Bench:
    """Trains jobs in folders of their own."""

    root: Path
    cache: Path

    def attempt(
        self,
        fields: dict[str, Any],
        *candidates: Checkpoint,
        lineage: Sequence[Stage] = (),
        stop: Callable[[], bool] = never,
        into: list[RunEvent] | None = None,
        datasets: Path | Folders | None = None,
        numbers: Mapping[str, float] = NONE,
    ) -> Attempt:
        """Train to the end, or until `stop`, from the first of `candidates` that is whole; `into` survives an error."""
        attempt = Attempt(Path(tempfile.mkdtemp(dir=self.root)), [] if into is None else into)
        saving = Saving(attempt.folder / "checkpoints", candidates, tuple(lineage))
        spec = parse_spec(fields)
        given: dict[str, Any] = {"cache": self.cache, "datasets": datasets, "numbers": numbers}
        for event in train(spec, folder=attempt.folder, save=saving, stop=stop, **given):
            attempt.events.append(event)
        return attempt


@dataclass
class After:
    """Says that the run should stop, from the `times`-th time on that it is asked."""

    times: int

    def __call__(self) -> bool:
        self.times -= 1
        return self.times < 0


def pieced(earlier: Attempt, at: Checkpoint, later: Attempt) -> list[Any]:
    """The bits of a run of which `earlier` was interrupted at `at` and `later` went on: one row an epoch."""
    return [*earlier.bits[: at.epoch], *later.bits]


def stage(fields: dict[str, Any], until: int) -> Stage:
    """As a store has it: the spec with its defaults, as JSON."""
    return Stage(parse_spec(fields).model_dump(mode="json"), until)


def state(kept: Checkpoint) -> Any:
    return torch.load(f"{kept.path}/state.pt", weights_only=True)


def up_to(parent: Attempt, epoch: int) -> list[Checkpoint]:
    return [kept for kept in parent.checkpoints if (kept.epoch, kept.step) <= (epoch, 0)]
