"""A worker's right to a job: claimed in one guarded UPDATE, kept by renewing its lease."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, func, or_, select, text, update

from core.job import HELD, Claim, Status, Worker
from core.store.backend import Tx
from core.store.moves import FROM, Move, append
from core.store.tables import IS_HELD, IS_QUEUED, by, jobs

ANY_DEVICE = "auto"
_START = Move(Status.RUNNING, None, by="worker")


def has_work(tx: Tx, worker: Worker, *, device: str | None) -> bool:
    """Whether a queued job waits that the worker can run: a read, so that an idle worker locks nothing."""
    return tx.conn.scalar(_best(worker, device)) is not None


def claim(tx: Tx, worker: Worker, *, device: str | None, lease_s: float) -> Claim | None:
    """Take the best queued job that the worker can run; those that others take right now are skipped."""
    best = _best(worker, device).with_for_update(skip_locked=True).scalar_subquery()
    values = {
        **_START.values(tx),
        "attempt": jobs.c.attempt + 1,
        "last_seq": jobs.c.last_seq + 1,
        "worker_id": worker.id,
        "worker_name": worker.name,
        "worker_device": None,
        "lease_until": tx.clock.after(lease_s),
        "started_at": func.coalesce(jobs.c.started_at, tx.clock.now()),
    }
    guarded = update(jobs).where(jobs.c.id == best, jobs.c.status.in_(FROM[Status.RUNNING])).values(values)
    told = (jobs.c.id, jobs.c.attempt, jobs.c.spec, jobs.c.device, jobs.c.last_seq, tx.clock.now())
    row = tx.conn.execute(guarded.returning(*told)).one_or_none()
    if row is None:
        return None
    job_id, attempt, spec, asked, seq, at = row
    append(tx, job_id, [_START.entry()], first=seq, at=at)
    return Claim(job_id=job_id, attempt=attempt, spec=spec, device=asked)


def renew(tx: Tx, claims: Collection[Claim], *, lease_s: float) -> None:
    """Prolong the leases of claims that still hold; in one order, so that two workers cannot deadlock."""
    for kept in sorted(claims, key=lambda each: each.job_id):
        fenced = (jobs.c.id == kept.job_id, jobs.c.attempt == kept.attempt, jobs.c.status.in_(HELD))
        tx.conn.execute(update(jobs).where(*fenced).values(lease_until=tx.clock.after(lease_s)))


def held(tx: Tx, worker_id: str) -> dict[str, tuple[int, Status]]:
    """The jobs that the worker holds: attempt and status by id."""
    rows = select(jobs.c.id, jobs.c.attempt, jobs.c.status).with_hint(jobs, by("ix_jobs_held"), "sqlite")
    found = rows.where(jobs.c.worker_id == worker_id, text(IS_HELD))
    return {row.id: (row.attempt, row.status) for row in tx.conn.execute(found)}


def offered(devices: Collection[str]) -> list[str]:
    """The words by which a job may ask for one of `devices`: `cuda:1` also answers to `cuda`."""
    return sorted({ANY_DEVICE, *devices, *(name.partition(":")[0] for name in devices)})


def _best(worker: Worker, device: str | None) -> Select[str]:
    """The queued job with the highest priority, the oldest of them, that the worker's queues and devices allow."""
    devices = offered(worker.devices if device is None else (device,))
    allowed = or_(jobs.c.queue.is_(None), jobs.c.queue.in_(worker.queues))
    queued = select(jobs.c.id).with_hint(jobs, by("ix_jobs_queue"), "sqlite").where(text(IS_QUEUED))
    return queued.where(allowed, jobs.c.device.in_(devices)).order_by(jobs.c.priority.desc(), jobs.c.id).limit(1)
