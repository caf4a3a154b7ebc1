"""How a held job comes back: released by its worker, or taken from one that fell silent."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, text

from core.job import Claim, ErrorInfo, Reason, Status
from core.store.backend import Tx
from core.store.moves import Move, Standing, move, standing
from core.store.recording import fence
from core.store.tables import IS_HELD, by, jobs


def release(tx: Tx, claim: Claim, *, error: ErrorInfo | None, max_attempts: int) -> Status:
    """Give the job back: as it was when drained, one failure worse after an error. Raises ClaimLost."""
    row = fence(tx, claim)
    if error is None:
        return _give_back(tx, claim.job_id, row, Move(Status.QUEUED, Reason.WORKER_DRAINED, by="worker"))
    row = row.worse()
    if row.failures < max_attempts:
        return _give_back(tx, claim.job_id, row, Move(Status.QUEUED, _reason(error), by="worker", error=error))
    return _give_back(
        tx, claim.job_id, row, Move(Status.FAILED, Reason.RETRY_LIMIT, by="worker", error=_last(error, row))
    )


def expired(tx: Tx, *, every: bool) -> list[str]:
    """The held jobs whose lease ran out (or all of them), the longest overdue first."""
    found = select(jobs.c.id).with_hint(jobs, by("ix_jobs_held"), "sqlite").where(text(IS_HELD))
    overdue = found.where(*_overdue(tx, every=every)).order_by(jobs.c.lease_until)
    return list(tx.conn.scalars(overdue))


def take_back(tx: Tx, job_id: str, *, every: bool, max_attempts: int) -> bool:
    """Take one job back if its lease is still overdue; whether it changed."""
    row = standing(tx, job_id, text(IS_HELD), *_overdue(tx, every=every), skip_locked=True)
    if row is None:
        return False
    row = row.worse()
    if row.failures < max_attempts:
        _give_back(tx, job_id, row, Move(Status.QUEUED, Reason.LEASE_EXPIRED, by="service"))
    else:
        _give_back(tx, job_id, row, Move(Status.FAILED, Reason.WORKER_LOST, by="service", error=_silence(row)))
    return True


def _give_back(tx: Tx, job_id: str, row: Standing, otherwise: Move) -> Status:
    """What was asked of the run comes true when it ends; a run of which nothing was asked takes `otherwise`."""
    if row.status is Status.CANCELLING:
        change = Move(Status.CANCELLED, Reason.CANCELLED_BY_USER, by=otherwise.by)
    elif row.status is Status.PAUSING:
        change = Move(Status.PAUSED, Reason.PAUSED_BY_USER, by=otherwise.by)
    else:
        change = otherwise
    move(tx, job_id, change, attempt=row.attempt, values={"failures": row.failures})
    return change.to


def _overdue(tx: Tx, *, every: bool) -> tuple[ColumnElement[bool], ...]:
    return () if every else (jobs.c.lease_until < tx.clock.after(0),)


def _reason(error: ErrorInfo) -> Reason:
    return Reason(error.code) if error.code in set(Reason) else Reason.INTERNAL_ERROR


def _last(error: ErrorInfo, row: Standing) -> ErrorInfo:
    message = f"The run died {_times(row)}; the last time: {error.message}"
    return ErrorInfo(Reason.RETRY_LIMIT, message, hint=error.hint, param=error.param)


def _silence(row: Standing) -> ErrorInfo:
    message = f"The run was started {_times(row)}, and its worker fell silent or died."
    return ErrorInfo(
        Reason.WORKER_LOST, message, hint="Look at the worker's memory and logs, then submit the job again."
    )


def _times(row: Standing) -> str:
    return "once" if row.failures == 1 else f"{row.failures} times"
