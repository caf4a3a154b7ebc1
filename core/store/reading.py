"""Reads that clients poll: jobs, their log, their figures and files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Row, Select, bindparam, func, or_, select, text

from core.errors import Gone, NotFound
from core.job import Artifact, EpochRow, Event, EventType, Job, Progress, Status
from core.store import rows
from core.store.backend import Tx
from core.store.tables import IS_HELD, IS_LOG, IS_QUEUED, IS_TRANSITION, artifacts, by, epochs, events, jobs, removed


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether a job has something new: its version (the last `seq`), progress and status."""

    version: int
    progress: Progress | None
    status: Status


@dataclass(frozen=True, slots=True)
class Moving:
    """The jobs that may change by themselves: those that workers hold, and those that came behind another one."""

    held: Mapping[str, Pulse]
    added: Sequence[str]
    newest: str


_CHUNK = 500
"""Ids at a time: databases bound the parameters of a statement."""
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_JOB = select(*rows.JOB).where(jobs.c.id == bindparam("id"))
_REMOVED = select(removed.c.id).where(removed.c.id == bindparam("id"))
_KNOWN = select(jobs.c.id).where(jobs.c.id.in_(_IDS))
_DELETED = select(removed.c.id).where(removed.c.id.in_(_IDS))
_TRANSITIONS = (
    select(*rows.EVENT)
    .with_hint(events, by("ix_events_transitions"), "sqlite")
    .where(text(IS_TRANSITION))
    .order_by(events.c.job_id, events.c.seq)
)
_TRANSITIONS_OF_ONE = _TRANSITIONS.where(events.c.job_id == bindparam("id"))
_TRANSITIONS_OF_MANY = _TRANSITIONS.where(events.c.job_id.in_(_IDS))
_MANY = select(*rows.JOB).where(jobs.c.id.in_(_IDS))
_PULSE = select(jobs.c.id, jobs.c.last_seq, jobs.c.progress, jobs.c.status)
_PULSES = _PULSE.where(jobs.c.id.in_(_IDS))
_PULSES_HELD = _PULSE.with_hint(jobs, by("ix_jobs_held"), "sqlite").where(text(IS_HELD))
_ADDED = select(jobs.c.id).where(jobs.c.id > bindparam("after")).order_by(jobs.c.id).limit(_CHUNK)
_NEWEST = select(func.max(jobs.c.id))
_COUNTS = select(jobs.c.status, func.count()).group_by(jobs.c.status)
_HEAD = (
    select(jobs.c.id, jobs.c.queue)
    .with_hint(jobs, by("ix_jobs_queue"), "sqlite")
    .where(text(IS_QUEUED))
    .order_by(jobs.c.priority.desc(), jobs.c.id)
    .limit(bindparam("most"))
)
_EPOCHS = (
    select(*rows.EPOCH)
    .where(epochs.c.job_id == bindparam("id"), epochs.c.epoch > bindparam("after"))
    .order_by(epochs.c.epoch)
)
_EVENTS = (
    select(*rows.EVENT)
    .where(events.c.job_id == bindparam("id"), events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(bindparam("limit"))
)
_LOGS = _EVENTS.with_hint(events, by("ix_events_logs"), "sqlite").where(text(IS_LOG))
_EVENTS_OF_TYPES = _EVENTS.where(events.c.type.in_(bindparam("types", expanding=True)))
_ARTIFACTS = select(*rows.ARTIFACT).where(artifacts.c.job_id == bindparam("id")).order_by(artifacts.c.name)


def job(tx: Tx, job_id: str) -> Job:
    """The job; raises NotFound, and Gone when it was deleted."""
    row = tx.conn.execute(_JOB, {"id": job_id}).one_or_none()
    if row is None:
        raise missing(tx, job_id)
    log = tx.conn.execute(_TRANSITIONS_OF_ONE, {"id": job_id})
    return rows.job_of(row, map(rows.event_of, log))


def missing(tx: Tx, job_id: str) -> NotFound | Gone:
    """What to raise for an id that no job has, or no longer."""
    if tx.conn.scalar(_REMOVED, {"id": job_id}) is not None:
        return Gone(f"Job {job_id} was deleted.")
    return NotFound(f"There is no job {job_id[:80]!r}.")


def jobs_of(tx: Tx, found: Sequence[Any]) -> tuple[Job, ...]:
    """The jobs of these rows, with one query for the changes of status of all of them."""
    logs: defaultdict[str, list[Event]] = defaultdict(list)
    for row in tx.conn.execute(_TRANSITIONS_OF_MANY, {"ids": [row.id for row in found]}) if found else ():
        logs[row.job_id].append(rows.event_of(row))
    return tuple(rows.job_of(row, logs[row.id]) for row in found)


def several(tx: Tx, job_ids: Collection[str]) -> dict[str, Job]:
    """Those of the jobs that there are, at most a few hundred at a time."""
    found = tx.conn.execute(_MANY, {"ids": list(job_ids)}).all() if job_ids else ()
    return {job.id: job for job in jobs_of(tx, found)}


def known(tx: Tx, job_ids: Collection[str]) -> set[str]:
    """Those of the ids that jobs have."""
    return _among(tx, _KNOWN, list(job_ids))


def deleted(tx: Tx, job_ids: Collection[str]) -> set[str]:
    """Those of the ids that deleted jobs had."""
    return _among(tx, _DELETED, list(job_ids))


def pulse(tx: Tx, job_ids: Collection[str]) -> dict[str, Pulse]:
    """How each of the jobs stands."""
    return _pulses(tx.conn.execute(_PULSES, {"ids": list(job_ids)}) if job_ids else ())


def moving(tx: Tx, after: str | None) -> Moving:
    """What workers hold and what was added behind the job `after` (None: nothing); by indexes, whatever the history."""
    held = _pulses(tx.conn.execute(_PULSES_HELD))
    if after is None:
        return Moving(held, (), tx.conn.scalar(_NEWEST) or "")
    added = tx.conn.scalars(_ADDED, {"after": after}).all()
    return Moving(held, added, added[-1] if added else after)


def counts(tx: Tx) -> dict[Status, int]:
    """How many jobs have each status, none included."""
    return {**dict.fromkeys(Status, 0), **{row[0]: row[1] for row in tx.conn.execute(_COUNTS)}}


def position(tx: Tx, waiting: Job) -> int:
    """1 for the queued job that is next among those that share its queue (a job without one waits in all)."""
    priority = waiting.spec.get("priority", 0)
    before = or_(jobs.c.priority > priority, (jobs.c.priority == priority) & (jobs.c.id < waiting.id))
    queued = select(func.count()).select_from(jobs).with_hint(jobs, by("ix_jobs_queue"), "sqlite")
    ahead = queued.where(text(IS_QUEUED), before)
    if waiting.queue is not None:
        ahead = ahead.where(or_(jobs.c.queue.is_(None), jobs.c.queue == waiting.queue))
    return 1 + (tx.conn.scalar(ahead) or 0)


def places(tx: Tx, *, most: int) -> dict[str, int]:
    """The places of the jobs at the head of the queue, as `position` counts them; its index is read once."""
    found: dict[str, int] = {}
    passed: Counter[str | None] = Counter()
    for job_id, queue in tx.conn.execute(_HEAD, {"most": most}):
        found[job_id] = 1 + (passed.total() if queue is None else passed[None] + passed[queue])
        passed[queue] += 1
    return found


def epoch_rows(tx: Tx, job_id: str, *, after: int, limit: int | None) -> list[EpochRow]:
    """The figures of the epochs behind `after`."""
    statement = _EPOCHS if limit is None else _EPOCHS.limit(limit)
    return [rows.epoch_of(row) for row in tx.conn.execute(statement, {"id": job_id, "after": after})]


def log(tx: Tx, job_id: str, *, after: int, limit: int, types: Collection[EventType] | None) -> list[Event]:
    """The job's log behind `after`."""
    given = {"id": job_id, "after": after, "limit": limit}
    if types is not None and set(types) != {EventType.LOG}:
        given["types"] = list(types)
    return [rows.event_of(row) for row in tx.conn.execute(_of_types(types), given)]


def files(tx: Tx, job_id: str) -> list[Artifact]:
    """The files that the job made, by name."""
    return [rows.artifact_of(row) for row in tx.conn.execute(_ARTIFACTS, {"id": job_id})]


def file(tx: Tx, job_id: str, name: str) -> Artifact:
    """One file that the job made; raises NotFound, Gone."""
    row = tx.conn.execute(_ARTIFACTS.where(artifacts.c.name == name), {"id": job_id}).one_or_none()
    if row is None:
        job(tx, job_id)  # which says whether it is the job that is missing
        message = f"Job {job_id!r} has no artifact {name!r}."
        raise NotFound(message)
    return rows.artifact_of(row)


def _of_types(types: Collection[EventType] | None) -> Select[*tuple[Any, ...]]:
    if types is None:
        return _EVENTS
    return _LOGS if set(types) == {EventType.LOG} else _EVENTS_OF_TYPES


def _among(tx: Tx, wanted: Select[str], ids: Sequence[str]) -> set[str]:
    chunks = [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
    return {job_id for chunk in chunks for job_id in tx.conn.scalars(wanted, {"ids": chunk})}


def _pulses(found: Iterable[Row[*tuple[Any, ...]]]) -> dict[str, Pulse]:
    return {row.id: Pulse(row.last_seq, rows.progress_of(row.progress), row.status) for row in found}
