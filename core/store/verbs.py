"""What users do with a job: pause, resume, cancel, delete; each may be repeated, and an ended job never changes."""

from __future__ import annotations

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, update

from core.errors import Gone, WrongStatus
from core.job import Job, Reason, Status
from core.store import reading, sources
from core.store.backend import Tx
from core.store.moves import Move, Standing, move, standing
from core.store.needing import still_needed
from core.store.tables import jobs, removed


def pause(tx: Tx, job_id: str, *, by: str) -> Job:
    """Pause a waiting job at once, ask the worker of a running one; raises NotFound, Gone, WrongStatus."""
    row = _standing(tx, job_id)
    without_space = row.status is Status.PAUSED and row.status_reason is not Reason.PAUSED_BY_USER
    if row.status is Status.QUEUED or without_space:
        move(tx, job_id, Move(Status.PAUSED, Reason.PAUSED_BY_USER, by=by))
    elif row.status is Status.RUNNING:
        move(tx, job_id, Move(Status.PAUSING, Reason.PAUSED_BY_USER, by=by))
    elif row.status not in {Status.PAUSING, Status.PAUSED}:
        raise wrong(job_id, row.status, "paused")
    return reading.job(tx, job_id)


def resume(tx: Tx, job_id: str, *, by: str) -> Job:
    """Queue a paused job, take a pause back that is still on its way; raises NotFound, Gone, WrongStatus."""
    row = _standing(tx, job_id)
    if row.status is Status.PAUSED:
        move(tx, job_id, Move(Status.QUEUED, None, by=by))
    elif row.status is Status.PAUSING:
        move(tx, job_id, Move(Status.RUNNING, None, by=by))
    elif row.status not in {Status.QUEUED, Status.RUNNING}:
        raise wrong(job_id, row.status, "resumed")
    return reading.job(tx, job_id)


def cancel(tx: Tx, job_id: str, *, by: str, force: bool) -> Job:
    """Cancel a waiting job at once, ask the worker of a running one (with `force`: to kill); raises as `pause` does."""
    tx.point = "cancel"
    row = _standing(tx, job_id)
    if row.status in {Status.QUEUED, Status.PAUSED}:
        move(tx, job_id, Move(Status.CANCELLED, Reason.CANCELLED_BY_USER, by=by))
    elif row.status in {Status.RUNNING, Status.PAUSING}:
        move(tx, job_id, Move(Status.CANCELLING, Reason.CANCELLED_BY_USER, by=by), values={"forced": force})
    elif row.status is Status.CANCELLING and force:
        tx.conn.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.status == row.status).values(forced=True))
    elif row.status in {Status.SUCCEEDED, Status.FAILED}:
        raise wrong(job_id, row.status, "cancelled")
    return reading.job(tx, job_id)


def delete(tx: Tx, job_id: str) -> None:
    """Delete an ended job with all its rows; a mark stays. Repeatable; raises NotFound, WrongStatus.

    WrongStatus also while a job that has not ended starts from its weights, and names such jobs.
    """
    try:
        row = _standing(tx, job_id)
    except Gone:
        return
    if not row.status.ended:
        raise wrong(job_id, row.status, "deleted; cancel it first")
    if needing := sources.needing(tx, job_id):
        raise still_needed(f"Job {job_id} cannot be deleted; its weights are needed by", needing)
    tx.conn.execute(delete_from(jobs).where(jobs.c.id == job_id))
    tx.conn.execute(insert(removed).values(id=job_id, at=tx.clock.now()))


def wrong(job_id: str, status: Status, done: str) -> WrongStatus:
    """What to raise when the status does not allow what was to be done."""
    return WrongStatus(f"Job {job_id} {status.stands}; it cannot be {done}.")


def _standing(tx: Tx, job_id: str) -> Standing:
    row = standing(tx, job_id)
    if row is None:
        raise reading.missing(tx, job_id)
    return row
