"""Jobs made from jobs: a retry goes on from where the old one ended, a fork takes another way from an epoch on.

The old one never changes; the new one gets copies of rows of its checkpoints, which keep the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, select

from core.checkpoint import Checkpoint, Stage
from core.epochs import first_epoch
from core.job import Job, Status
from core.spec.auto import AUTO, AUTOS
from core.store import reading, submitting
from core.store.backend import Tx
from core.store.checkpoints import COLUMNS, NEWEST_FIRST, checkpoint_of, values_of
from core.store.tables import checkpoints, epochs, jobs
from core.store.verbs import wrong
from core.store.wishes import Fork, Retry, Submit, Wish, forked_at

COPIES = 2
"""How many checkpoints a new job gets: if the files of one are damaged, there is the other."""
RETRIED = (Status.FAILED, Status.CANCELLED)


class Asked(NamedTuple):
    """A wish and its spec as JSON data, made outside of any transaction; a retry has none of its own."""

    wish: Wish
    spec: Mapping[str, Any]


def asked_for(wish: Wish) -> Asked:
    """The wish with its spec as JSON data."""
    return Asked(wish, {} if isinstance(wish, Retry) else wish.spec.model_dump(mode="json"))


def make(tx: Tx, job_id: str, asked: Asked) -> Job:
    """Queue the job that is wished for; raises NotFound, Gone, WrongStatus, SpecRefused."""
    if isinstance(asked.wish, Submit):
        return submitting.add(tx, job_id, asked.spec)
    if isinstance(asked.wish, Retry):
        return retry(tx, job_id, asked.wish)
    return fork(tx, job_id, asked.wish, asked.spec)


def retry(tx: Tx, job_id: str, wish: Retry) -> Job:
    """The old job's spec once more; from the start it finds its own numbers anew."""
    old = _old(tx, wish.job_id)
    if old.status not in RETRIED:
        raise wrong(wish.job_id, old.status, "retried; only a failed or cancelled job can")
    copies = [] if wish.from_start else _newest(tx, wish.job_id, order=NEWEST_FIRST)
    parent = {"id": wish.job_id, "epoch": max([old.first, *(each.epoch for each in copies)])}
    resolved = None if wish.from_start else old.resolved
    job = submitting.add(tx, job_id, old.spec, parent=parent, lineage=old.lineage, resolved=resolved)
    _copy(tx, job_id, copies)
    return job


def fork(tx: Tx, job_id: str, wish: Fork, spec: Mapping[str, Any]) -> Job:
    """Another spec behind the end of an epoch."""
    old = _old(tx, wish.job_id)
    newest = tx.conn.scalar(select(func.max(epochs.c.epoch)).where(epochs.c.job_id == wish.job_id)) or old.first
    epoch = forked_at(wish.job_id, wish.epoch, first=old.first, newest=newest)
    before = (checkpoints.c.epoch < epoch) | ((checkpoints.c.epoch == epoch) & (checkpoints.c.step == 0))
    copies = _newest(tx, wish.job_id, before, order=_FURTHEST_FIRST)
    lineage = [*(old.lineage or ()), {"spec": _trained_by(old, spec), "until": epoch}]
    job = submitting.add(tx, job_id, spec, parent={"id": wish.job_id, "epoch": epoch}, lineage=lineage)
    _copy(tx, job_id, copies)
    return job


def stages_of(lineage: Sequence[Any]) -> tuple[Stage, ...]:
    """The earlier parts of a job from their column."""
    return tuple(Stage(spec=stage["spec"], until=stage["until"]) for stage in lineage)


_FURTHEST_FIRST = (checkpoints.c.epoch.desc(), checkpoints.c.step.desc(), checkpoints.c.attempt.desc())


class _Old(NamedTuple):
    """What a new job takes from the old one."""

    status: Status
    spec: Any
    parent: Any
    lineage: Any
    resolved: Any

    @property
    def first(self) -> int:
        """The epoch behind which its own rows begin."""
        return first_epoch(self.parent)


def _trained_by(old: _Old, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The old spec with numbers only: those that its run found, or what has not begun the new one's."""
    numbers = {**spec, **(old.resolved or {})}
    return {field: numbers[field] if field in AUTOS and value == AUTO else value for field, value in old.spec.items()}


def _old(tx: Tx, job_id: str) -> _Old:
    """The job, its row locked, so that none of its checkpoints goes while they are copied."""
    wanted = select(*(jobs.c[name] for name in _Old._fields)).where(jobs.c.id == job_id)
    row = tx.conn.execute(wanted.with_for_update(read=True)).one_or_none()
    if row is None:
        raise reading.missing(tx, job_id)
    return _Old(*row)


def _newest(tx: Tx, job_id: str, *conditions: ColumnElement[bool], order: Sequence[Any]) -> list[Checkpoint]:
    wanted = select(*COLUMNS).where(checkpoints.c.job_id == job_id, *conditions).order_by(*order).limit(COPIES)
    return [checkpoint_of(row) for row in tx.conn.execute(wanted)]


def _copy(tx: Tx, job_id: str, copies: Sequence[Checkpoint]) -> None:
    """Attempt 0: older than any of the new job's own; and no cost, which another spec may measure otherwise."""
    rows = [
        values_of(replace(each, cost=None), job_id=job_id, attempt=0, at=each.created_at)
        for each in copies
        if each.created_at is not None
    ]
    if rows:
        tx.conn.execute(insert(checkpoints), rows)
