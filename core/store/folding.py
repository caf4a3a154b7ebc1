"""What a batch of run events comes to: log entries, rows, and the columns of the job that change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, literal

from core import wire
from core.checkpoint import Checkpoint, Occasion
from core.epochs import first_epoch
from core.events import (
    Checkpointed,
    EpochDone,
    Failed,
    Finished,
    Logged,
    Measured,
    Noticed,
    Probed,
    Resumed,
    RunEvent,
    Started,
    Stopped,
)
from core.job import Artifact, EpochRow, EventType, Progress, Status
from core.settings import Settings
from core.store import rows
from core.store.checkpoints import Kept
from core.store.columns import encode
from core.store.differences import difference
from core.store.moves import Entry, Move, Standing
from core.store.tables import jobs
from core.store.verdicts import of_failure


@dataclass(slots=True)
class Batch:
    """The outcome of folding: everything one transaction writes, and how the job then stands."""

    row: Standing
    entries: list[Entry] = field(default_factory=list)
    epochs: list[EpochRow] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    artifacts: tuple[Artifact, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    move: Move | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the job before the batch: how it stands, its rows for what the batch tells."""

    row: Standing
    settings: Settings
    stored: Mapping[int, EpochRow]
    kept: Kept

    @property
    def first(self) -> int:
        """The epoch behind which the job's own rows begin."""
        return first_epoch(self.row.parent)


def fold(events: Sequence[RunEvent], known: Known) -> Batch:
    """All of `events` up to the one that ends the run."""
    batch = Batch(known.row)
    for event in events:
        _FOLDS[type(event)](batch, event, known)
        if batch.move is not None:
            batch.entries.append(batch.move.entry())
            break
    return batch


def _started(batch: Batch, event: Started, known: Known) -> None:
    data = {
        "device": event.device,
        "parameters": event.parameters,
        "trainable": event.parameters if event.trainable is None else event.trainable,
        "steps_per_epoch": event.steps_per_epoch,
        "epochs": event.epochs,
        "train_samples": event.train_samples,
        "val_samples": event.val_samples,
        "test_samples": event.test_samples,
        "devices": event.devices,
        "threads": event.threads,
        "versions": dict(event.versions),
        "attempt": known.row.attempt,
        **({} if event.resolved is None else {"resolved": dict(event.resolved)}),
        **({} if event.predict_samples is None else {"predict_samples": event.predict_samples}),
        "resumed": _resumed(event.resumed) if event.resumed is not None else None,
    }
    batch.entries.append(Entry(EventType.STARTED, encode(data)))
    batch.values["worker_device"] = _devices(event)
    _inexact(batch, event.inexact)
    if event.resolved is not None:
        batch.values["resolved"] = dict(event.resolved)
    if event.resumed is not None:
        _best(batch, event.resumed.best)
        _inexact(batch, event.resumed.inexact)


def _devices(event: Started) -> str:
    """The device, or how many of its kind train together."""
    return event.device if event.devices == 1 else f"{event.devices} x {event.device.partition(':')[0]}"


def _resumed(event: Resumed) -> dict[str, Any]:
    position = {"checkpoint": event.checkpoint, "epoch": event.epoch, "step": event.step}
    return {**position, "bit_exact": event.inexact is None, "bit_exact_reason": event.inexact}


def _best(batch: Batch, row: EpochRow | None) -> None:
    """The best epoch so far; one that is computed again does not take the place of a later one."""
    if row is not None and row.epoch > ((batch.row.best or {}).get("epoch") or 0):
        best = wire.finite(row.public())
        batch.row = batch.row._replace(best=best)
        loss = row.train_loss if row.val_loss is None else row.val_loss
        batch.values |= {"best": best, "best_loss": loss if math.isfinite(loss) else None}


def _inexact(batch: Batch, reason: str | None) -> None:
    """The first reason stays."""
    if reason is not None:
        first = batch.values.get("inexact")
        batch.values["inexact"] = first if first is not None else func.coalesce(jobs.c.inexact, literal(reason))


def _advanced(batch: Batch) -> None:
    batch.row = batch.row.advanced()
    batch.values.update(failures=0, lost=0, no_space=0, error=None)


def _progress(batch: Batch, event: Progress, known: Known) -> None:  # noqa: ARG001  one signature for all
    batch.values["progress"] = rows.progress_data(event)


def _measured(batch: Batch, event: Measured, known: Known) -> None:  # noqa: ARG001  one signature for all
    batch.values["memory"] = asdict(event.memory)


def _epoch(batch: Batch, event: EpochDone, known: Known) -> None:
    """A row that an earlier attempt stored is told once, only a difference is news; a parent's row is the parent's."""
    stored = known.stored.get(event.row.epoch)
    if stored is not None:
        notice = difference(stored, event.row)
        if notice is not None:
            batch.entries.append(Entry(EventType.NOTICE, encode(notice)))
            _inexact(batch, notice["message"])
        return
    if event.best:
        _best(batch, event.row)
    if event.row.epoch <= known.first:
        return
    public = wire.finite(event.row.public())
    batch.epochs.append(event.row)
    batch.entries.append(Entry(EventType.EPOCH, encode(public)))
    batch.values["latest"] = public
    _advanced(batch)


def _checkpointed(batch: Batch, event: Checkpointed, known: Known) -> None:
    """Told once; and it is an advance, unless an earlier attempt already stood at that very step."""
    checkpoint = event.checkpoint
    if known.kept.knows(checkpoint, attempt=known.row.attempt):
        return
    data = {
        "id": checkpoint.id,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "bytes": checkpoint.bytes,
        "occasion": checkpoint.occasion,
    }
    batch.checkpoints.append(checkpoint)
    batch.entries.append(Entry(EventType.CHECKPOINT, encode(data)))
    if checkpoint.occasion is Occasion.MEMORY or not known.kept.stood(checkpoint):
        _advanced(batch)


def _logged(batch: Batch, event: Logged, known: Known) -> None:
    """At most `max_log_lines` for a job, then one line that says so."""
    told = int(batch.values.get("log_lines", known.row.log_lines))
    most = known.settings.max_log_lines
    room = max(most - told, 0)
    kept = [(line, event.stream) for line in event.lines[:room]]
    if len(event.lines) > room and told <= most:
        kept.append((f"The job printed more than {most} lines; no more are kept.", "stderr"))
    batch.entries.extend(Entry(EventType.LOG, encode({"line": line, "stream": stream})) for line, stream in kept)
    batch.values["log_lines"] = told + len(kept)


def _noticed(batch: Batch, event: Noticed, known: Known) -> None:  # noqa: ARG001  one signature for all
    data = {**wire.finite(event.facts), "code": event.code, "message": event.message}
    batch.entries.append(Entry(EventType.NOTICE, encode(data)))


def _finished(batch: Batch, event: Finished, known: Known) -> None:  # noqa: ARG001  one signature for all
    batch.artifacts = event.artifacts
    test, sharpness = (None if one is None else wire.finite(one) for one in (event.test, event.sharpness))
    memory = None if event.memory is None else asdict(event.memory)
    several = {"folds": event.folds, "seeds": event.seeds}
    told = {"test": test, **several, "sharpness": sharpness, "memory": memory}
    figures = {name: value for name, value in told.items() if value is not None}
    batch.values.update(figures)
    batch.move = Move(Status.SUCCEEDED, event.reason, by="worker", figures=figures)


def _failed(batch: Batch, event: Failed, known: Known) -> None:
    """The end, unless another try may help."""
    batch.move, values = of_failure(batch.row, event.reason, event.error, known.settings)
    batch.values.update(values)


def _probed(batch: Batch, event: Probed, known: Known) -> None:
    """Nothing to store: whoever asked for the trial reads it."""


def _stopped(batch: Batch, event: Stopped, known: Known) -> None:
    """Nothing to store: whoever asked for the stop gives the job back."""


_FOLDS: Mapping[type, Callable[[Batch, Any, Known], None]] = {
    Started: _started,
    Progress: _progress,
    Measured: _measured,
    Probed: _probed,
    EpochDone: _epoch,
    Checkpointed: _checkpointed,
    Logged: _logged,
    Noticed: _noticed,
    Finished: _finished,
    Failed: _failed,
    Stopped: _stopped,
}
