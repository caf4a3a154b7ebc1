"""Rows as JSON text, built straight from what the store gives: clients poll these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from api.watching import Told
from core.checkpoint import Checkpoint
from core.job import Artifact, EpochRow, Event, Job, Status, Worker
from core.store import Curves
from core.wire import dumps, finite, rfc3339


def job_path(job_id: str) -> str:
    """Where a job is."""
    return f"/v1/jobs/{job_id}"


def job_json(job: Job, *, position: int | None = None, waiting_for: str | None = None) -> str:
    """A job as `JobView` documents it."""
    return dumps(_job(job, {"name": job.queue, "position": position, "waiting_for": waiting_for}))


def _job(job: Job, queue: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status,
        "status_reason": job.status_reason,
        "spec": job.spec,
        "seed": job.spec.get("seed", 0),
        "attempt": job.attempt,
        "progress": None if job.progress is None else asdict(job.progress),
        "queue": queue,
        "latest": None if job.latest is None else finite(job.latest),
        "best": None if job.best is None else finite(job.best),
        "test": None if job.test is None else dict(job.test),
        "folds": None if job.folds is None else dict(job.folds),
        "memory": None if job.memory is None else dict(job.memory),
        "seeds": None if job.seeds is None else dict(job.seeds),
        "sharpness": None if job.sharpness is None else dict(job.sharpness),
        "resolved": None if job.resolved is None else dict(job.resolved),
        "error": None if job.error is None else asdict(job.error),
        "labels": dict(job.labels),
        "parent": None if job.parent is None else dict(job.parent),
        "worker": None if job.worker is None else {"name": job.worker, "device": job.worker_device},
        "bit_exact": job.inexact is None,
        "bit_exact_reason": job.inexact,
        "created_at": rfc3339(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "transitions": [
            {"status": one.status, "at": rfc3339(one.at), "reason": one.reason, "by": one.by} for one in job.transitions
        ],
        "links": _links(job.id),
    }


def _links(job_id: str) -> dict[str, str]:
    path = job_path(job_id)
    files = ("events", "metrics", "logs", "checkpoints", "artifacts", "report")
    rooms = (*files, "cancel", "pause", "resume", "retry", "fork", "predict")
    return {"self": path, **{room: f"{path}/{room}" for room in rooms}}


def epoch_json(row: EpochRow) -> str:
    """An epoch as `EpochView` documents it."""
    return dumps(finite(row.public()))


def epochs_json(rows: Iterable[EpochRow], *, after: str | None, status: Status) -> str:
    """A page of epochs as `EpochPage` documents it; one call of the encoder for all rows, since clients poll this."""
    data = [finite(row.public()) for row in rows]
    return dumps({"data": data, "has_more": after is not None, "next": after, "status": status})


def curves_json(job_id: str, status: Status, curves: Curves) -> str:
    """A job's curves as `CurvesView` documents them."""
    figures, odd = {}, {}
    for name, values in curves.figures.items():
        told = finite(dict(zip(map(str, curves.epochs), values, strict=True)))
        if nonfinite := told.pop("nonfinite", None):
            odd[name] = nonfinite
        figures[name] = list(told.values())
    epochs = list(curves.epochs)
    return dumps({"job": job_id, "status": status, "epochs": epochs, "figures": figures, "nonfinite": odd})


def event_json(event: Event) -> str:
    """An event as `EventView` documents it."""
    return Told.of(event).json


def artifact_path(job_id: str, name: str) -> str:
    """Where an artifact is."""
    return f"{job_path(job_id)}/artifacts/{quote(name)}"


def artifact_json(job_id: str, artifact: Artifact) -> str:
    """An artifact as `ArtifactView` documents it."""
    return dumps(
        {
            "name": artifact.name,
            "media_type": artifact.media_type,
            "bytes": artifact.bytes,
            "sha256": artifact.sha256,
            "created_at": _time(artifact.created_at),
            "url": artifact_path(job_id, artifact.name),
        }
    )


def checkpoint_json(checkpoint: Checkpoint) -> str:
    """A checkpoint as `CheckpointView` documents it."""
    return dumps(
        {
            "id": checkpoint.id,
            "epoch": checkpoint.epoch,
            "step": checkpoint.step,
            "occasion": checkpoint.occasion,
            "attempt": checkpoint.attempt,
            "bytes": checkpoint.bytes,
            "files": [asdict(file) for file in checkpoint.files],
            "created_at": _time(checkpoint.created_at),
        }
    )


def worker_json(worker: Worker) -> str:
    """A worker as `WorkerView` documents it."""
    times = {"started_at": _time(worker.started_at), "heartbeat_at": _time(worker.heartbeat_at)}
    return dumps({**asdict(worker), **times})


def page_json(rows: Iterable[str], *, after: str | None = None, status: Status | None = None) -> str:
    """A page of rows; `after` is where the next one begins, if there is one."""
    tail = {"has_more": after is not None, "next": after}
    if status is not None:
        tail["status"] = status
    return f'{{"data":[{",".join(rows)}],{dumps(tail)[1:]}'


def cut(rows: Sequence[Any], limit: int) -> tuple[Sequence[Any], bool]:
    """The first `limit` of rows read one further, and whether there are more."""
    return rows[:limit], len(rows) > limit


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
