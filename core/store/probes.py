"""Trials that were asked for: claimed by a worker for as long as somebody waits for the answer, and then gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, exists, insert, or_, select, update

from core.job import Worker
from core.store.backend import Backend, Tx
from core.store.claiming import offered
from core.store.tables import probes
from core.usage import Probe


def ask(tx: Tx, probe_id: str, spec: Mapping[str, Any], *, within_s: float) -> None:
    """Have a spec tried out; nobody begins it, or goes on with it, after `within_s` seconds."""
    wanted = {"queue": spec["resources"]["queue"], "device": spec["resources"]["device"]}
    tx.conn.execute(insert(probes).values(id=probe_id, spec=spec, wanted_until=tx.clock.after(within_s), **wanted))


def take(database: Backend, worker: Worker, *, lease_s: float) -> Probe | None:
    """The oldest probe that the worker can do and no live one does; a read where there is none."""
    if database.read(lambda tx: tx.conn.scalar(_open(tx, worker))) is None:
        return None
    return database.write(lambda tx: _take(tx, worker, lease_s=lease_s))


def keep(tx: Tx, probe_id: str, worker_id: str, *, lease_s: float) -> bool:
    """Whether somebody still waits for the worker's answer; if so its lease is renewed."""
    mine = (probes.c.id == probe_id, probes.c.worker_id == worker_id, probes.c.wanted_until > tx.clock.after(0))
    return tx.conn.execute(update(probes).where(*mine).values(lease_until=tx.clock.after(lease_s))).rowcount == 1


def give_back(tx: Tx, probe_id: str, worker_id: str) -> None:
    """Let another worker do it, or this one later."""
    mine = (probes.c.id == probe_id, probes.c.worker_id == worker_id)
    tx.conn.execute(update(probes).where(*mine).values(worker_id=None, lease_until=None))


def answer(tx: Tx, probe_id: str, worker_id: str, told: Mapping[str, Any]) -> None:
    """What came of it, for whoever waits."""
    mine = (probes.c.id == probe_id, probes.c.worker_id == worker_id)
    tx.conn.execute(update(probes).where(*mine).values(answer=told))


def answer_to(tx: Tx, probe_id: str) -> Mapping[str, Any] | None:
    """What came of it, once anything did."""
    told: Mapping[str, Any] | None = tx.conn.scalar(select(probes.c.answer).where(probes.c.id == probe_id))
    return told


def drop(tx: Tx, probe_id: str) -> None:
    """Nobody waits any more."""
    tx.conn.execute(delete(probes).where(probes.c.id == probe_id))


def any_abandoned(tx: Tx) -> bool:
    """Whether there is a probe whose asker is gone without a word."""
    return bool(tx.conn.scalar(select(exists(select(probes.c.id).where(probes.c.wanted_until <= tx.clock.after(0))))))


def drop_abandoned(tx: Tx) -> None:
    """Take these out."""
    tx.conn.execute(delete(probes).where(probes.c.wanted_until <= tx.clock.after(0)))


def _open(tx: Tx, worker: Worker) -> Select[str]:
    allowed = or_(probes.c.queue.is_(None), probes.c.queue.in_(worker.queues))
    unclaimed = or_(probes.c.lease_until.is_(None), probes.c.lease_until <= tx.clock.after(0))
    waits = (probes.c.answer.is_(None), probes.c.wanted_until > tx.clock.after(0), unclaimed)
    able = (allowed, probes.c.device.in_(offered(worker.devices)))
    return select(probes.c.id).where(*waits, *able).order_by(probes.c.id).limit(1)


def _take(tx: Tx, worker: Worker, *, lease_s: float) -> Probe | None:
    oldest = _open(tx, worker).with_for_update(skip_locked=True).scalar_subquery()
    taken = update(probes).where(probes.c.id == oldest).values(worker_id=worker.id, lease_until=tx.clock.after(lease_s))
    row = tx.conn.execute(taken.returning(probes.c.id, probes.c.spec, probes.c.device)).one_or_none()
    return None if row is None else Probe(row.id, row.spec, row.device)
