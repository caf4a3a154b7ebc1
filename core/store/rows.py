"""Rows of the tables as the frozen values of `core.job`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from core import wire
from core.job import Artifact, EpochRow, ErrorInfo, Event, Job, Progress, Reason, Status, Transition
from core.store.tables import artifacts, epochs, events, jobs

JOB = (
    jobs.c.id,
    jobs.c.name,
    jobs.c.status,
    jobs.c.status_reason,
    jobs.c.spec,
    jobs.c.attempt,
    jobs.c.last_seq,
    jobs.c.queue,
    jobs.c.device,
    jobs.c.progress,
    jobs.c.latest,
    jobs.c.best,
    jobs.c.error,
    jobs.c.parent,
    jobs.c.worker_name,
    jobs.c.worker_device,
    jobs.c.created_at,
    jobs.c.started_at,
    jobs.c.finished_at,
    jobs.c.inexact,
    jobs.c.test,
    jobs.c.folds,
    jobs.c.memory,
    jobs.c.resolved,
    jobs.c.seeds,
    jobs.c.sharpness,
)
EVENT = (events.c.job_id, events.c.seq, events.c.at, events.c.type, events.c.data)
EPOCH = tuple(column for column in epochs.c if column.name != "job_id")
ARTIFACT = tuple(column for column in artifacts.c if column.name != "job_id")


def job_of(row: Row[*tuple[Any, ...]], log: Iterable[Event]) -> Job:
    """A job from its row and the part of its log that tells its changes of status.

    The row was read first: what the log says beyond the row's version is left for the next read.
    """
    return Job(
        id=row.id,
        name=row.name,
        status=row.status,
        status_reason=row.status_reason,
        spec=row.spec,
        attempt=row.attempt,
        version=row.last_seq,
        queue=row.queue,
        device=row.device,
        progress=progress_of(row.progress),
        latest=row.latest,
        best=row.best,
        error=ErrorInfo(**row.error) if row.error is not None else None,
        labels=row.spec.get("labels") or {},
        parent=row.parent,
        worker=row.worker_name,
        worker_device=row.worker_device,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        transitions=tuple(transition_of(event) for event in log if event.seq <= row.last_seq),
        inexact=row.inexact,
        test=row.test,
        folds=row.folds,
        memory=row.memory,
        resolved=row.resolved,
        seeds=row.seeds,
        sharpness=row.sharpness,
    )


def transition_of(event: Event) -> Transition:
    """A `status` or `end` event as the change it tells."""
    data = json.loads(event.data)
    reason = Reason(data["reason"]) if data["reason"] is not None else None
    return Transition(status=Status(data["status"]), at=event.at, reason=reason, by=data["by"])


def event_of(row: Row[*tuple[Any, ...]]) -> Event:
    """A log entry from its row."""
    return Event(*row)


def epoch_of(row: Row[*tuple[Any, ...]]) -> EpochRow:
    """An epoch's figures from their row."""
    return EpochRow(**{**row._mapping, "metrics": wire.exact(row.metrics)})


def epoch_values(job_id: str, row: EpochRow) -> dict[str, Any]:
    """An epoch's figures as a row."""
    return {
        "job_id": job_id,
        "epoch": row.epoch,
        "train_loss": row.train_loss,
        "val_loss": row.val_loss,
        "metrics": wire.finite(row.metrics),
        "lr": row.lr,
        "epoch_s": row.epoch_s,
        "samples_per_s": row.samples_per_s,
        "data_wait_s": row.data_wait_s,
        "fold": row.fold,
        "seed": row.seed,
    }


def artifact_of(row: Row[*tuple[Any, ...]]) -> Artifact:
    """A file from its row."""
    return Artifact(**row._mapping)


def artifact_values(file: Artifact) -> dict[str, Any]:
    """A file as a row, without its job and time."""
    return {
        "name": file.name,
        "path": file.path,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }


def progress_of(data: Mapping[str, Any] | None) -> Progress | None:
    """How far a run is, from its column."""
    return Progress(**wire.exact(data)) if data is not None else None


def progress_data(progress: Progress) -> dict[str, Any]:
    """How far a run is, as its column holds it."""
    return wire.finite(
        {
            "epoch": progress.epoch,
            "epochs": progress.epochs,
            "step": progress.step,
            "steps": progress.steps,
            "eta_s": progress.eta_s,
        }
    )
