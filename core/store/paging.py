"""Pages of jobs: what is asked for, and opaque cursors that cost the same however long the history is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all

from core.errors import BadRequest
from core.ids import is_id
from core.job import Job, Status
from core.store import reading, rows
from core.store.backend import Tx
from core.store.tables import job_labels, jobs


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: newest first, or oldest first with `ascending`; `after` is a page's `next`.

    `search` is looked for anywhere in a name, in capital letters or small ones.
    """

    limit: int = 50
    after: str | None = None
    statuses: Collection[Status] = ()
    name: str | None = None
    search: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, and the cursor of the page behind them (None: these are the last)."""

    rows: tuple[Job, ...]
    next: str | None


def page(tx: Tx, query: JobQuery) -> JobPage:
    """The jobs that `query` asks for; raises BadRequest for a bad cursor."""
    ids = _ids(query, place(query.after) if query.after is not None else None).subquery()
    wanted = select(*rows.JOB).where(jobs.c.id.in_(select(ids))).order_by(_order(query, jobs.c.id))
    found = tx.conn.execute(wanted).all()
    shown = reading.jobs_of(tx, found[: query.limit])
    return JobPage(shown, cursor(shown[-1].id) if len(found) > query.limit else None)


def cursor(row_id: str) -> str:
    """The opaque text that stands for "after the row of this id"."""
    return base64.urlsafe_b64encode(row_id.encode()).decode().rstrip("=")


def place(text: str, *, kind: str = "job") -> str:
    """The id of `kind` that a cursor stands for; raises BadRequest for a text that is none."""
    try:
        row_id = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        row_id = ""
    if not is_id(row_id, kind=kind):
        message = f"{text[:80]!r} is no cursor; take it from a page's `next`."
        raise BadRequest(message, param="after")
    return row_id


def _ids(query: JobQuery, after: str | None) -> Select[str]:
    """One id more than the page holds: each status by its own index, then merged, so that no history is sorted."""
    parts = [_of_status(query, after, status).subquery() for status in set(query.statuses)]
    if not parts:
        return _of_status(query, after, None)
    merged = union_all(*(select(part.c.id) for part in parts)).subquery()
    return select(merged.c.id).order_by(_order(query, merged.c.id)).limit(query.limit + 1)


def _of_status(query: JobQuery, after: str | None, status: Status | None) -> Select[str]:
    job_id: ColumnElement[str] = jobs.c.id
    statement = select(jobs.c.id)
    for number, (key, value) in enumerate(query.labels.items()):
        label = job_labels.alias(f"label_{number}")
        statement = statement.join(label, label.c.job_id == jobs.c.id).where(label.c.key == key, label.c.value == value)
        job_id = label.c.job_id if number == 0 else job_id
    return (
        statement.where(*_conditions(query, job_id, after), *_with(status))
        .order_by(_order(query, job_id))
        .limit(query.limit + 1)
    )


def _conditions(query: JobQuery, job_id: ColumnElement[str], after: str | None) -> list[ColumnElement[bool]]:
    conditions = []
    if after is not None:
        conditions.append(job_id > after if query.ascending else job_id < after)
    if query.name is not None:
        conditions.append(jobs.c.name == query.name)
    if query.search:
        conditions.append(jobs.c.name.icontains(query.search, autoescape=True))
    return conditions


def _with(status: Status | None) -> list[ColumnElement[bool]]:
    return [] if status is None else [jobs.c.status == status]


def _order(query: JobQuery, job_id: ColumnElement[str]) -> ColumnElement[Any]:
    return job_id.asc() if query.ascending else job_id.desc()
