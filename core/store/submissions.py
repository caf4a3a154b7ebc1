"""Wishes for jobs, granted once: the job and the answer to its Idempotency-Key are one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.errors import KeyReused, Unavailable
from core.store import fleet, lineage, reading
from core.store.backend import Tx
from core.store.lineage import Asked
from core.store.tables import jobs, submissions
from core.store.wishes import Created, Once, Told

KEPT_S = 86_400.0
"""How long a key is known."""
_TAKE = {
    "sqlite": sqlite.insert(submissions).on_conflict_do_nothing().returning(submissions.c.key),
    "postgresql": postgresql.insert(submissions).on_conflict_do_nothing().returning(submissions.c.key),
}


def create(tx: Tx, job_id: str, asked: Asked, *, told: Told, once: Once | None) -> Created:
    """Make the job, or give the answer that its key was given before; raises KeyReused and what `make` raises."""
    if once is not None and (replayed := _replayed(tx, job_id, once)) is not None:
        return replayed
    job = lineage.make(tx, job_id, asked)
    text = told(job, reading.position(tx, job), fleet.waiting_for(tx, job))
    if once is not None:
        answered = update(submissions).where(submissions.c.key == once.key)
        tx.conn.execute(answered.values(answer=text, version=job.version))
    return Created(job_id, job.queue, text, job.version, replayed=False)


def answered(tx: Tx, once: Once) -> Created | None:
    """The answer that this key was given before, if it was; raises KeyReused."""
    row = tx.conn.execute(select(submissions).where(submissions.c.key == once.key)).one_or_none()
    if row is None:
        return None
    if row.request != once.request:
        message = f"The Idempotency-Key {once.key[:80]!r} came with another request before."
        raise KeyReused(message, hint="Use a new key for a new request.")
    queue = tx.conn.scalar(select(jobs.c.queue).where(jobs.c.id == row.job_id))
    return Created(row.job_id, queue, row.answer, row.version, replayed=True)


def forget(tx: Tx) -> None:
    """Let go of the keys that are known long enough."""
    tx.conn.execute(delete(submissions).where(submissions.c.created_at < tx.clock.after(-KEPT_S)))


def _replayed(tx: Tx, job_id: str, once: Once) -> Created | None:
    """The answer to this key; None when the key is now this transaction's. Whoever comes second waits for the first."""
    own = {"key": once.key, "request": once.request, "job_id": job_id, "answer": "", "version": 0}
    taking = _TAKE[tx.conn.dialect.name].values(**own, created_at=tx.clock.now())
    if tx.conn.scalar(taking) is not None:
        return None
    replayed = answered(tx, once)
    if replayed is None:
        message = "The Idempotency-Key ran out at this moment; ask again."
        raise Unavailable(message)
    return replayed
