"""How a job changes: one guarded UPDATE that names the statuses it allows and takes the next numbers of the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, TextClause, bindparam, insert, select, update

from core.job import HELD, ErrorInfo, EventType, Reason, Status
from core.store.backend import Receipt, Tx
from core.store.columns import encode
from core.store.tables import events, jobs

FROM: Mapping[Status, frozenset[Status]] = {
    Status.RUNNING: frozenset({Status.QUEUED, Status.PAUSING}),
    Status.QUEUED: frozenset({Status.RUNNING, Status.PAUSED}),
    Status.PAUSING: frozenset({Status.RUNNING}),
    Status.PAUSED: frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSING, Status.PAUSED}),
    Status.CANCELLING: frozenset({Status.RUNNING, Status.PAUSING}),
    Status.CANCELLED: frozenset({Status.QUEUED, Status.PAUSED, Status.CANCELLING}),
    Status.SUCCEEDED: HELD,
    Status.FAILED: frozenset({Status.RUNNING, Status.PAUSING}),
}
"""The only changes there are: to each status, from which. Nothing leads out of an ended one.

A full disk pauses a running job; a user who pauses it then keeps it from going on when there is space.
"""

NO_WORKER: Mapping[str, Any] = {"worker_id": None, "worker_name": None, "worker_device": None, "lease_until": None}


class Entry(NamedTuple):
    """An event without its number: what it is and its data as JSON text."""

    type: EventType
    data: str


@dataclass(frozen=True, slots=True)
class Move:
    """A change of status: to what, why and by whom (`user`, `worker`, `service`); nobody claims it for `wait_s`.

    `figures` are those that a run which succeeds tells at its end, by their names and in their wire form: of the test
    part (`test`), of all `folds` or `seeds`, `sharpness`, and the `memory` that it took.
    """

    to: Status
    reason: Reason | None
    by: str
    error: ErrorInfo | None = None
    wait_s: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)

    def entry(self) -> Entry:
        """The event that tells it: `end` is a job's last."""
        data: dict[str, Any] = {"status": self.to, "reason": self.reason, "by": self.by}
        if self.error is not None:
            data["error"] = error_data(self.error)
        return Entry(EventType.END if self.to.ended else EventType.STATUS, encode({**data, **self.figures}))

    def values(self, tx: Tx) -> dict[str, Any]:
        """The columns that go with the status; why a run died stays to be seen while its job waits."""
        values: dict[str, Any] = {"status": self.to, "status_reason": self.reason}
        if self.error is not None or self.to.ended:
            values["error"] = error_data(self.error) if self.error is not None else None
        if self.to.ended:
            return {**values, "finished_at": tx.clock.now(), "lease_until": None, "not_before": None}
        if self.to in {Status.QUEUED, Status.PAUSED}:
            later = tx.clock.after(self.wait_s) if self.wait_s > 0 else None
            return {**values, **NO_WORKER, "progress": None, "not_before": later}
        return values


class Guard(NamedTuple):
    """What a row must still be when it is changed: one of these statuses, and this attempt if one is named."""

    statuses: Collection[Status]
    attempt: int | None = None


class Step(NamedTuple):
    """What an UPDATE did: the log's length behind it, and when."""

    last_seq: int
    at: datetime


def move(
    tx: Tx, job_id: str, change: Move, *, attempt: int | None = None, values: Mapping[str, Any] | None = None
) -> Step | None:
    """Change a job's status if it still allows it (and the attempt is still this one); None if not."""
    values = {**(values or {}), **change.values(tx)}
    return advance(tx, job_id, [change.entry()], guard=Guard(FROM[change.to], attempt), values=values)


def advance(tx: Tx, job_id: str, entries: Sequence[Entry], *, guard: Guard, values: Mapping[str, Any]) -> Step | None:
    """Change a job's row and append to its log, if it passes the guard; None if not.

    The log's numbers are taken in the same UPDATE, so they have no gaps whoever writes beside it.
    """
    guarded = update(jobs).where(jobs.c.id == job_id, jobs.c.status.in_(guard.statuses))
    if guard.attempt is not None:
        guarded = guarded.where(jobs.c.attempt == guard.attempt)
    changed = guarded.values(last_seq=jobs.c.last_seq + len(entries), **values)
    row = tx.conn.execute(changed.returning(jobs.c.last_seq, tx.clock.now())).one_or_none()
    if row is None:
        return None
    append(tx, job_id, entries, first=row[0] - len(entries) + 1, at=row[1])
    return Step(*row)


def append(tx: Tx, job_id: str, entries: Sequence[Entry], *, first: int, at: datetime) -> None:
    """Write log entries under numbers that are already theirs."""
    if entries:
        numbered = enumerate(entries, start=first)
        rows: list[dict[str, Any]] = [
            {"job_id": job_id, "seq": seq, "at": at, "type": kind, "data": data} for seq, (kind, data) in numbered
        ]
        tx.conn.execute(insert(events), rows)
        tx.receipt = Receipt(job_id, rows[-1]["seq"], at)


def found(tx: Tx, receipt: Receipt) -> bool:
    """Whether the transaction that wrote this entry did commit."""
    return tx.conn.scalar(_ENTRY, receipt._asdict()) is not None


_ENTRY = select(events.c.seq).where(
    events.c.job_id == bindparam("job_id"), events.c.seq == bindparam("seq"), events.c.at == bindparam("at")
)


class Standing(NamedTuple):
    """What a decision about a job rests on."""

    status: Status
    attempt: int
    failures: int
    lost: int
    no_space: int
    log_lines: int
    error: Mapping[str, Any] | None
    best: Mapping[str, Any] | None
    parent: Mapping[str, Any] | None
    status_reason: Reason | None

    def advanced(self) -> Standing:
        """The same behind a new checkpoint or epoch: what died before counts no more."""
        return self._replace(failures=0, lost=0, no_space=0, error=None)


_STANDING = select(*(jobs.c[name] for name in Standing._fields))


def standing(
    tx: Tx, job_id: str, *conditions: ColumnElement[bool] | TextClause, skip_locked: bool = False
) -> Standing | None:
    """How the job stands, its row locked until the transaction ends; None if there is none such."""
    wanted = _STANDING.where(jobs.c.id == job_id, *conditions).with_for_update(skip_locked=skip_locked)
    row = tx.conn.execute(wanted).one_or_none()
    return Standing(*row) if row is not None else None


def error_data(error: ErrorInfo) -> dict[str, Any]:
    """An error as its column and its event carry it."""
    return {"code": error.code, "message": error.message, "hint": error.hint, "param": error.param}
