"""A worker's right to a job: claimed in one guarded UPDATE, kept by renewing its lease."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
    update,
)

from core.checkpoint import Checkpoint
from core.job import HELD, Claim, Status, Worker
from core.room import Room
from core.store import checkpoints
from core.store.backend import Backend, Tx
from core.store.lineage import stages_of
from core.store.moves import Move, append
from core.store.ruins import Damaged, damaged, give_up
from core.store.tables import IS_HELD, IS_QUEUED, by, jobs

ANY_DEVICE = "auto"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker has for a job: one `device` of its own or any, and the room of the moment or all that it has."""

    device: str | None = None
    room: Room | None = None


_START = Move(Status.RUNNING, None, by="worker")


class Held(NamedTuple):
    """How a job that a worker holds stands; `forced`: its run is to be killed."""

    attempt: int
    status: Status
    forced: bool


def take(database: Backend, worker: Worker, *, offer: Offer, lease_s: float) -> Claim | None:
    """The best queued job that the worker can run; one whose row is damaged is failed and the next one taken."""
    while database.read(lambda tx: has_work(tx, worker, offer)):
        try:
            return database.write(lambda tx: claim(tx, worker, offer, lease_s=lease_s))
        except Damaged as found:
            give_up(database, found)
    return None


def has_work(tx: Tx, worker: Worker, offer: Offer) -> bool:
    """Whether a queued job waits that the worker can run now: a read, so that an idle worker locks nothing."""
    best = _best(tx, worker, offer).subquery()
    room = offer.room or Room.of(worker)
    fits = and_(_within(best.c.device, best.c.devices, room), _alone(best.c.nodes, room, worker))
    return bool(tx.conn.scalar(select(fits).select_from(best)))


def claim(tx: Tx, worker: Worker, offer: Offer, *, lease_s: float) -> Claim | None:
    """Take the best queued job that the worker can run; those that others take right now are skipped.

    Where that job needs more room than there is, no lesser one is taken in its place: it would wait for ever.
    """
    tx.point = "claim"
    best = _best(tx, worker, offer).with_only_columns(jobs.c.id).with_for_update(skip_locked=True).scalar_subquery()
    room = offer.room or Room.of(worker)
    has_room = and_(_within(jobs.c.device, jobs.c.devices, room), _alone(jobs.c.nodes, room, worker))
    values = {
        **_START.values(tx),
        "attempt": jobs.c.attempt + 1,
        "last_seq": jobs.c.last_seq + 1,
        "worker_id": worker.id,
        "worker_name": worker.name,
        "worker_device": None,
        "lease_until": tx.clock.after(lease_s),
        "not_before": None,
        "started_at": func.coalesce(jobs.c.started_at, tx.clock.now()),
    }
    guarded = update(jobs).where(jobs.c.id == best, jobs.c.status == Status.QUEUED, has_room).values(values)
    row = tx.conn.execute(guarded.returning(*_TAKEN, tx.clock.now().label("at"))).one_or_none()
    if row is None:
        return None
    with damaged(row.id):
        append(tx, row.id, [_START.entry()], first=row.last_seq, at=row.at)
        return _claim_of(tx, row)


def renew(tx: Tx, kept: Collection[tuple[Claim, float]], *, lease_s: float) -> None:
    """Prolong the leases of claims that still hold; in one order, so that two workers cannot deadlock."""
    for claim, run_s in sorted(kept, key=lambda each: each[0].job_id):
        fenced = (jobs.c.id == claim.job_id, jobs.c.attempt == claim.attempt, jobs.c.status.in_(HELD))
        tx.conn.execute(update(jobs).where(*fenced).values(lease_until=tx.clock.after(lease_s), run_s=run_s))


def held(tx: Tx, worker_id: str) -> dict[str, Held]:
    """The jobs that the worker holds, by id."""
    rows = select(jobs.c.id, jobs.c.attempt, jobs.c.status, jobs.c.forced)
    hinted = rows.with_hint(jobs, by("ix_jobs_held"), "sqlite")
    found = tx.conn.execute(hinted.where(jobs.c.worker_id == worker_id, text(IS_HELD)))
    return {row.id: Held(row.attempt, row.status, row.forced) for row in found}


def offered(devices: Collection[str]) -> list[str]:
    """The words by which a job may ask for one of `devices`: `cuda:1` also answers to `cuda`."""
    return sorted({ANY_DEVICE, *devices, *(name.partition(":")[0] for name in devices)})


_TAKEN = (
    jobs.c.id,
    jobs.c.attempt,
    jobs.c.device,
    jobs.c.last_seq,
    jobs.c.run_s,
    type_coerce(jobs.c.spec, Text).label("spec"),
    type_coerce(jobs.c.lineage, Text).label("lineage"),
    type_coerce(jobs.c.parent, Text).label("parent"),
    type_coerce(jobs.c.resolved, Text).label("resolved"),
)
"""JSON as text: whose it is must be known before it turns out to be none."""


def _claim_of(tx: Tx, row: Row[*tuple[Any, ...]]) -> Claim:
    return Claim(
        job_id=row.id,
        attempt=row.attempt,
        spec=json.loads(row.spec),
        device=row.device,
        run_s=row.run_s,
        lineage=stages_of(json.loads(row.lineage or "[]")),
        checkpoints=_checkpoints(tx, row),
        resolved=json.loads(row.resolved or "{}"),
    )


def _checkpoints(tx: Tx, row: Row[*tuple[Any, ...]]) -> tuple[Checkpoint, ...]:
    """None for the first start of a job of its own, without asking."""
    if row.attempt == 1 and row.parent is None:
        return ()
    return tuple(checkpoints.of_job(tx, row.id))


def _best(tx: Tx, worker: Worker, offer: Offer) -> Select[str, str, int | None, int | None]:
    """The best queued job, by priority and then age, that the worker could run if it did nothing else."""
    devices = offered(worker.devices if offer.device is None else (offer.device,))
    allowed = or_(jobs.c.queue.is_(None), jobs.c.queue.in_(worker.queues))
    due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= tx.clock.after(0))
    meets = or_(jobs.c.nodes.is_(None), jobs.c.nodes.in_({1, worker.nodes}))
    fits = and_(jobs.c.device.in_(devices), meets, _within(jobs.c.device, jobs.c.devices, Room.of(worker)))
    found = select(jobs.c.id, jobs.c.device, jobs.c.devices, jobs.c.nodes)
    queued = found.with_hint(jobs, by("ix_jobs_queue"), "sqlite").where(text(IS_QUEUED))
    return queued.where(allowed, fits, due).order_by(jobs.c.priority.desc(), jobs.c.id).limit(1)


def _within(device: ColumnElement[str], devices: ColumnElement[int | None], room: Room) -> ColumnElement[bool]:
    """Whether so many devices of that kind are in `room`."""
    return or_(devices.is_(None), devices <= case((device == "cpu", room.slots), else_=room.devices))


def _alone(nodes: ColumnElement[int | None], room: Room, worker: Worker) -> ColumnElement[bool]:
    """Whether a job of several nodes has the worker for itself: there is one place where its nodes meet."""
    return or_(nodes.is_(None), nodes == 1, literal(room.slots) == worker.slots)
