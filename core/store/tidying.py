"""What may go: old jobs, old checkpoints of ended jobs, old keys; a transaction each, and only what is asked for."""

from __future__ import annotations

from functools import partial

from sqlalchemy import ColumnElement, Select, select

from core.job import ENDED
from core.settings import Settings
from core.store import checkpoints, sources, submissions, verbs
from core.store.backend import Backend, Tx
from core.store.moves import standing
from core.store.tables import checkpoints as rows
from core.store.tables import jobs

AT_ONCE = 1000
"""Jobs of a kind that go in one look; the next look takes the next ones."""
_ENDED = jobs.c.status.in_(ENDED)


def tidy_up(database: Backend, settings: Settings) -> list[str]:
    """Delete what is kept no longer; the ids of the jobs whose files must be looked at."""
    database.write(submissions.forget)
    touched: dict[str, None] = {}
    for job_id in database.read(lambda tx: _old_jobs(tx, settings)):
        touched |= dict.fromkeys(database.write(partial(_remove, job_id=job_id)))
    for job_id in database.read(lambda tx: _old_checkpoints(tx, settings)):
        touched |= dict.fromkeys(database.write(partial(_bare, job_id=job_id)))
    return list(touched)


def _old_jobs(tx: Tx, settings: Settings) -> list[str]:
    """The ended jobs that are too many or too old, the oldest first, but for those whose weights are needed."""
    ended = select(jobs.c.id).where(_ENDED)
    found: set[str] = set()
    if settings.keep_jobs is not None:
        last_first = ended.order_by(jobs.c.finished_at.desc(), jobs.c.id.desc())
        surplus = last_first.offset(settings.keep_jobs).subquery()
        unneeded = select(surplus.c.id).where(~sources.is_needed(surplus.c.id))
        found.update(tx.conn.scalars(unneeded.limit(AT_ONCE)))
    if settings.keep_jobs_s is not None:
        unneeded = ended.where(_ended_before(tx, settings.keep_jobs_s), ~sources.is_needed(jobs.c.id))
        found.update(_oldest(tx, unneeded))
    return sorted(found)


def _old_checkpoints(tx: Tx, settings: Settings) -> list[str]:
    if settings.keep_checkpoints_s is None:
        return []
    has_some = select(rows.c.id).where(rows.c.job_id == jobs.c.id).exists()
    old = select(jobs.c.id).where(_ENDED, _ended_before(tx, settings.keep_checkpoints_s), has_some)
    return _oldest(tx, old)


def _oldest(tx: Tx, ids: Select[str]) -> list[str]:
    return list(tx.conn.scalars(ids.order_by(jobs.c.id).limit(AT_ONCE)))


def _ended_before(tx: Tx, seconds: float) -> ColumnElement[bool]:
    return jobs.c.finished_at < tx.clock.after(-seconds)


def _remove(tx: Tx, job_id: str) -> list[str]:
    """Delete the job, if nobody else is at it or has come to need its weights."""
    homes = _homes(tx, job_id)
    if not homes or sources.needing(tx, job_id):
        return []
    verbs.delete(tx, job_id)
    return homes


def _bare(tx: Tx, job_id: str) -> list[str]:
    """Let go of its checkpoints, if nobody else is at it."""
    homes = _homes(tx, job_id)
    if homes:
        checkpoints.drop(tx, job_id)
    return homes


def _homes(tx: Tx, job_id: str) -> list[str]:
    """The job and those in whose folders its checkpoints lie, its row locked; none if it is gone or locked."""
    if standing(tx, job_id, _ENDED, skip_locked=True) is None:
        return []
    named = select(rows.c.home).where(rows.c.job_id == job_id).distinct()
    return list({job_id: None} | dict.fromkeys(tx.conn.scalars(named)))
