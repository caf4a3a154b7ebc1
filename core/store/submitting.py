"""The API's writes: a job is queued, or cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from core.errors import WrongStatus
from core.job import Event, EventType, Job, Reason, Status
from core.store import reading, rows
from core.store.backend import Tx
from core.store.moves import Move, append, move, standing
from core.store.tables import job_labels, jobs

if TYPE_CHECKING:
    from core.spec import JobSpec


def add(tx: Tx, job_id: str, spec: JobSpec) -> Job:
    """Queue a job under an id that is already its own, with the first entry of its log."""
    first = Move(Status.QUEUED, None, by="user")
    asked = {"queue": spec.resources.queue, "device": spec.resources.device, "priority": spec.priority}
    values = {**_NEW, **asked, "id": job_id, "name": spec.name, "spec": spec.model_dump(mode="json")}
    row = tx.conn.execute(insert(jobs).values(**values, created_at=tx.clock.now()).returning(*rows.JOB)).one()
    append(tx, job_id, [first.entry()], first=1, at=row.created_at)
    if spec.labels:
        labels = [{"job_id": job_id, "key": key, "value": value} for key, value in spec.labels.items()]
        tx.conn.execute(insert(job_labels), labels)
    return rows.job_of(row, [Event(job_id, 1, row.created_at, EventType.STATUS, first.entry().data)])


def cancel(tx: Tx, job_id: str, *, by: str) -> Job:
    """Cancel a waiting job at once, ask the worker of a running one; raises NotFound, WrongStatus."""
    row = standing(tx, job_id)
    if row is None:
        raise reading.no_job(job_id)
    if row.status in {Status.SUCCEEDED, Status.FAILED}:
        message = f"Job {job_id} has {row.status}; an ended job cannot be cancelled."
        raise WrongStatus(message)
    if row.status not in {Status.CANCELLING, Status.CANCELLED}:
        at_once = row.status in {Status.QUEUED, Status.PAUSED}
        move(tx, job_id, Move(Status.CANCELLED if at_once else Status.CANCELLING, Reason.CANCELLED_BY_USER, by=by))
    return reading.job(tx, job_id)


_NEW: dict[str, Any] = {
    "status": Status.QUEUED,
    "attempt": 0,
    "failures": 0,
    "last_seq": 1,
    "log_lines": 0,
}
