"""What a batch of run events comes to: log entries, rows, and the columns of the job that change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import wire
from core.events import EpochDone, Failed, Finished, Logged, Noticed, RunEvent, Started
from core.job import Artifact, EpochRow, EventType, Progress, Reason, Status
from core.store import rows
from core.store.columns import encode
from core.store.moves import Entry, Move


@dataclass(slots=True)
class Batch:
    """The outcome of folding: everything one transaction writes."""

    entries: list[Entry] = field(default_factory=list)
    epochs: list[EpochRow] = field(default_factory=list)
    artifacts: tuple[Artifact, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    end: Move | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the job before the batch."""

    status: Status
    attempt: int
    log_lines: int
    max_log_lines: int
    stored: Mapping[int, EpochRow]


def fold(events: Sequence[RunEvent], known: Known) -> Batch:
    """All of `events` up to the one that ends the run."""
    batch = Batch()
    for event in events:
        _FOLDS[type(event)](batch, event, known)
        if batch.end is not None:
            batch.entries.append(batch.end.entry())
            break
    return batch


def _started(batch: Batch, event: Started, known: Known) -> None:
    data = {
        "device": event.device,
        "parameters": event.parameters,
        "steps_per_epoch": event.steps_per_epoch,
        "epochs": event.epochs,
        "train_samples": event.train_samples,
        "val_samples": event.val_samples,
        "threads": event.threads,
        "versions": dict(event.versions),
        "attempt": known.attempt,
    }
    batch.entries.append(Entry(EventType.STARTED, encode(data)))
    batch.values["worker_device"] = event.device


def _progress(batch: Batch, event: Progress, known: Known) -> None:  # noqa: ARG001  one signature for all
    batch.values["progress"] = rows.progress_data(event)


def _epoch(batch: Batch, event: EpochDone, known: Known) -> None:
    """A row that an earlier attempt stored is told once; only a difference is news."""
    stored = known.stored.get(event.row.epoch)
    if stored is not None:
        batch.entries.extend(_difference(stored, event.row))
        return
    public = wire.finite(event.row.public())
    batch.epochs.append(event.row)
    batch.entries.append(Entry(EventType.EPOCH, encode(public)))
    batch.values["latest"] = public
    if event.best:
        batch.values["best"] = public


def _difference(stored: EpochRow, computed: EpochRow) -> Iterable[Entry]:
    before, now = stored.figures(), computed.figures()
    names = [name for name in {**before, **now} if not _same(before.get(name), now.get(name))]
    if names:
        facts = {"epoch": stored.epoch, "stored": _pick(before, names), "computed": _pick(now, names)}
        message = (
            f"Epoch {stored.epoch} was computed again with other figures ({', '.join(names)}); the first are kept."
        )
        yield Entry(EventType.NOTICE, encode({"code": "epoch_differs", "message": message, **facts}))


def _pick(figures: Mapping[str, float], names: Sequence[str]) -> dict[str, Any]:
    return wire.finite({name: figures.get(name) for name in names})


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def _logged(batch: Batch, event: Logged, known: Known) -> None:
    """At most `max_log_lines` for a job, then one line that says so."""
    told = int(batch.values.get("log_lines", known.log_lines))
    room = max(known.max_log_lines - told, 0)
    kept = [(line, event.stream) for line in event.lines[:room]]
    if len(event.lines) > room and told <= known.max_log_lines:
        kept.append((f"The job printed more than {known.max_log_lines} lines; no more are kept.", "stderr"))
    batch.entries.extend(Entry(EventType.LOG, encode({"line": line, "stream": stream})) for line, stream in kept)
    batch.values["log_lines"] = told + len(kept)


def _noticed(batch: Batch, event: Noticed, known: Known) -> None:  # noqa: ARG001  one signature for all
    data = {**wire.finite(event.facts), "code": event.code, "message": event.message}
    batch.entries.append(Entry(EventType.NOTICE, encode(data)))


def _finished(batch: Batch, event: Finished, known: Known) -> None:  # noqa: ARG001  one signature for all
    batch.artifacts = event.artifacts
    batch.end = Move(Status.SUCCEEDED, event.reason, by="worker")


def _failed(batch: Batch, event: Failed, known: Known) -> None:
    """A job that was to be cancelled is cancelled, whatever its run died of."""
    if known.status is Status.CANCELLING:
        batch.end = Move(Status.CANCELLED, Reason.CANCELLED_BY_USER, by="worker")
    else:
        batch.end = Move(Status.FAILED, event.reason, by="worker", error=event.error)


_FOLDS: Mapping[type, Callable[[Batch, Any, Known], None]] = {
    Started: _started,
    Progress: _progress,
    EpochDone: _epoch,
    Logged: _logged,
    Noticed: _noticed,
    Finished: _finished,
    Failed: _failed,
}
