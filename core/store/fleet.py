"""The workers that are alive, and what no one of them offers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import delete, exists, insert, select, text, update

from core.job import Job, Worker
from core.room import Room, devices_of, nodes_of
from core.store.backend import Tx
from core.store.claiming import offered
from core.store.tables import IS_HELD, by, jobs, workers

FORGOTTEN_S = 600.0
"""A worker that was not heard of for so long is taken out."""


def enrol(tx: Tx, worker: Worker, *, lease_s: float) -> None:
    """Enter the worker, or renew its entry."""
    values = {
        "name": worker.name,
        "devices": list(worker.devices),
        "slots": worker.slots,
        "queues": list(worker.queues),
        "nodes": worker.nodes,
        "heartbeat_at": tx.clock.now(),
        "alive_until": tx.clock.after(lease_s),
    }
    renewed = tx.conn.execute(update(workers).where(workers.c.id == worker.id).values(values))
    if renewed.rowcount == 0:
        tx.conn.execute(insert(workers).values(id=worker.id, started_at=tx.clock.now(), **values))


def retire(tx: Tx, worker_id: str) -> None:
    """Take the worker out."""
    tx.conn.execute(delete(workers).where(workers.c.id == worker_id))


def alive(tx: Tx) -> list[Worker]:
    """The workers whose last sign of life is younger than a lease, and what each one holds."""
    found = tx.conn.execute(
        select(workers).where(workers.c.alive_until > tx.clock.after(0)).order_by(workers.c.id)
    ).all()
    holding: defaultdict[str, list[str]] = defaultdict(list)
    for job_id, worker_id in tx.conn.execute(_HOLDING) if found else ():
        holding[worker_id or ""].append(job_id)
    return [_worker(row, holding[row.id]) for row in found]


def waiting_for(tx: Tx, job: Job) -> str | None:
    """The queue, else the device, else so many of them, that the job asks for and no live worker offers.

    `worker` if there is none at all.
    """
    there = alive(tx)
    if job.queue is not None:
        there = [worker for worker in there if job.queue in worker.queues]
    if not there:
        return job.queue or "worker"
    there = [worker for worker in there if job.device in offered(worker.devices)]
    if not there:
        return job.device
    there = [worker for worker in there if nodes_of(job.spec) in (1, worker.nodes)]
    if not there:
        return f"{nodes_of(job.spec)} nodes"
    return None if any(_has_room(worker, job) for worker in there) else f"{devices_of(job.spec)} devices"


def anyone_forgotten(tx: Tx) -> bool:
    """Whether a worker fell silent long ago."""
    return bool(tx.conn.scalar(select(exists(select(workers.c.id).where(_silent(tx))))))


def forget(tx: Tx) -> None:
    """Take out the workers that fell silent long ago."""
    tx.conn.execute(delete(workers).where(_silent(tx)))


def forget_all(tx: Tx) -> None:
    """Take out every worker."""
    tx.conn.execute(delete(workers))


_HOLDING = (
    select(jobs.c.id, jobs.c.worker_id)
    .with_hint(jobs, by("ix_jobs_held"), "sqlite")
    .where(text(IS_HELD))
    .order_by(jobs.c.id)
)


def _silent(tx: Tx) -> Any:
    return workers.c.alive_until < tx.clock.after(-FORGOTTEN_S)


def _has_room(worker: Worker, job: Job) -> bool:
    return Room.of(worker).holds(devices_of(job.spec), kind=job.device)


def _worker(row: Any, holding: list[str]) -> Worker:
    return Worker(
        id=row.id,
        name=row.name,
        devices=tuple(row.devices),
        slots=row.slots,
        queues=tuple(row.queues),
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        jobs=tuple(holding),
        nodes=row.nodes or 1,
    )
