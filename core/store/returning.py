"""How a job comes back: released by its worker, taken from one that fell silent, or free to go on again."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, text, update

from core.job import Claim, ErrorInfo, Reason, Status
from core.settings import Settings
from core.store import verdicts
from core.store.backend import Tx
from core.store.moves import Move, Standing, move, standing
from core.store.recording import fence
from core.store.tables import IS_HELD, by, jobs
from core.store.verdicts import Verdict


class Back(NamedTuple):
    """With what a job is given back: its run's error, or why it was stopped; the seconds that it ran in all."""

    error: ErrorInfo | None
    reason: Reason | None
    run_s: float | None


def release(tx: Tx, claim: Claim, back: Back, settings: Settings) -> Status:
    """Give the job back: as it was when the run was stopped, one failure worse after an error. Raises ClaimLost."""
    tx.point = "release"
    row = fence(tx, claim)
    if back.error is None:
        verdict = verdicts.of_stop(row, back.reason)
    else:
        verdict = verdicts.of_failure(row, verdicts.reason_of(back.error), back.error, settings)
    return _give_back(tx, claim.job_id, row, verdict, {} if back.run_s is None else {"run_s": back.run_s})


def expired(tx: Tx, *, every: bool) -> list[str]:
    """The held jobs whose lease ran out (or all of them), the longest overdue first."""
    held = select(jobs.c.id).with_hint(jobs, by("ix_jobs_held"), "sqlite").where(text(IS_HELD))
    overdue = held.where(*_overdue(tx, every=every)).order_by(jobs.c.lease_until)
    return list(tx.conn.scalars(overdue))


def take_back(tx: Tx, job_id: str, *, every: bool, settings: Settings) -> bool:
    """Take one job back if its lease is still overdue; whether it changed."""
    row = standing(tx, job_id, text(IS_HELD), *_overdue(tx, every=every), skip_locked=True)
    if row is None:
        return False
    tx.conn.execute(_NEXT_CLAIM.where(jobs.c.id == job_id)).one()
    _give_back(tx, job_id, row, verdicts.of_loss(row, settings), {})
    return True


def without_space(tx: Tx) -> list[str]:
    """The jobs that wait for space and have waited long enough to try again."""
    return list(tx.conn.scalars(select(jobs.c.id).where(*_waited(tx)).order_by(jobs.c.id)))


def try_again(tx: Tx, job_id: str) -> bool:
    """Queue a job that waited for space; whether it still did."""
    if standing(tx, job_id, *_waited(tx), skip_locked=True) is None:
        return False
    return move(tx, job_id, Move(Status.QUEUED, None, by="service")) is not None


def end_waits(tx: Tx) -> None:
    """Let every job that waits for its next try have it now."""
    waiting = jobs.c.status.in_((Status.QUEUED, Status.PAUSED))
    tx.conn.execute(update(jobs).where(waiting, jobs.c.not_before.is_not(None)).values(not_before=None))


_NEXT_CLAIM = select(jobs.c.spec, jobs.c.lineage)
"""What the next claim reads: a row in which that is damaged is better found now."""


def _give_back(tx: Tx, job_id: str, row: Standing, verdict: Verdict, values: dict[str, Any]) -> Status:
    move(tx, job_id, verdict.move, attempt=row.attempt, values={**verdict.values, **values})
    return verdict.move.to


def _overdue(tx: Tx, *, every: bool) -> tuple[ColumnElement[bool], ...]:
    return () if every else (jobs.c.lease_until < tx.clock.after(0),)


def _waited(tx: Tx) -> tuple[ColumnElement[bool], ...]:
    over = jobs.c.not_before.is_(None) | (jobs.c.not_before <= tx.clock.after(0))
    return jobs.c.status == Status.PAUSED, jobs.c.status_reason == Reason.STORAGE_FULL, over
