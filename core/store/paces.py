"""What earlier jobs took: the seconds of their latest epochs, and the memory of their processes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from sqlalchemy import bindparam, func, select

from core.job import EventType, Status
from core.pace import Pace
from core.store.backend import Tx
from core.store.tables import epochs, events, jobs

JOBS = 5
"""The latest jobs that are looked at."""
EPOCHS = 20
"""And of each the latest epochs."""
_SPAN = select(func.count(), func.min(events.c.at), func.max(events.c.at)).where(
    events.c.job_id == bindparam("id"), events.c.type == EventType.EPOCH
)


def pace(tx: Tx, key: str, *, device: str | None) -> Pace | None:
    """What the latest jobs of this key took on the kind of `device` (None: any); None when there is none yet."""
    found = _latest(tx, key, device)
    times = [second for job in found for second in _times(tx, job.id)]
    if not times:
        return None
    epoch_s = median(times)
    beside = [told for job in found if (told := _beside(tx, job, epoch_s)) is not None] or [(0.0, 0.0)]
    rest_s, once_s = (median(each) for each in zip(*beside, strict=True))
    return Pace(epoch_s, rest_s, once_s, len(times), len(found))


def baseline_bytes(tx: Tx) -> int | None:
    """What the training processes of the latest jobs on a CPU held before they had read anything: the median."""
    on_cpu = (jobs.c.memory.is_not(None), func.substr(jobs.c.worker_device, 1, 3) == "cpu")
    found = tx.conn.scalars(select(jobs.c.memory).where(*on_cpu).order_by(jobs.c.id.desc()).limit(JOBS)).all()
    return round(median(memory["baseline_bytes"] for memory in found)) if found else None


def _latest(tx: Tx, key: str, device: str | None) -> Sequence[Any]:
    """The newest jobs that have trained at least an epoch."""
    told = (jobs.c.id, jobs.c.status, jobs.c.attempt, jobs.c.parent, jobs.c.started_at, jobs.c.finished_at)
    wanted = select(*told).where(jobs.c.pace == key, jobs.c.latest.is_not(None))
    if device is not None:
        wanted = wanted.where(func.substr(jobs.c.worker_device, 1, len(device)) == device)
    return tx.conn.execute(wanted.order_by(jobs.c.id.desc()).limit(JOBS)).all()


def _times(tx: Tx, job_id: str) -> Sequence[float]:
    latest = select(epochs.c.epoch_s).where(epochs.c.job_id == job_id).order_by(epochs.c.epoch.desc()).limit(EPOCHS)
    return tx.conn.scalars(latest).all()


def _beside(tx: Tx, job: Any, epoch_s: float) -> tuple[float, float] | None:
    """What the job took beside each training pass, and once; None unless it ran from start to end in one go.

    Rows are stored several at a time, so between the first and the last of a short run no time may seem to go by.
    """
    if job.status != Status.SUCCEEDED or job.attempt != 1 or job.parent is not None:
        return None
    count, first, last = tx.conn.execute(_SPAN, {"id": job.id}).one()
    each = max(epoch_s, (last - first).total_seconds() / max(1, count - 1))
    whole = (job.finished_at - job.started_at).total_seconds()
    return each - epoch_s, max(0.0, whole - count * each)
