"""Pages of jobs: what is asked for, and opaque cursors that cost the same however long the history is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all

from core.errors import BadRequest
from core.ids import is_id
from core.job import Job, Status
from core.store import reading, rows
from core.store.backend import Tx
from core.store.tables import job_labels, jobs

_PART = 1000
_PARTS = 10
"""So many names at a time, and so often, are looked through for one page of a search: some 10 ms."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: newest first, or oldest first with `ascending`; `after` is a page's `next`.

    `search` is found anywhere in a name or an id, in capitals or not.
    """

    limit: int = 50
    after: str | None = None
    statuses: Collection[Status] = ()
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False
    search: str | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, and the cursor of the page behind them (None: these are the last).

    A page of a search may hold fewer than asked for, or none, and still have another one behind it.
    """

    rows: tuple[Job, ...]
    next: str | None


def page(tx: Tx, query: JobQuery) -> JobPage:
    """The jobs that `query` asks for; raises BadRequest for a bad cursor."""
    after = place(query.after) if query.after is not None else None
    if query.search is not None:
        return _searched(tx, query, after)
    ids = _ids(query, after).subquery()
    wanted = select(*rows.JOB).where(jobs.c.id.in_(select(ids))).order_by(_order(query, jobs.c.id))
    found = tx.conn.execute(wanted).all()
    shown = reading.jobs_of(tx, found[: query.limit])
    return JobPage(shown, cursor(shown[-1].id) if len(found) > query.limit else None)


def _searched(tx: Tx, query: JobQuery, after: str | None) -> JobPage:
    """The jobs of a page among the next 10,000 that else would be listed: so much at most is looked through."""
    words = (query.search or "").casefold()
    found: list[str] = []
    for _ in range(_PARTS):
        ids = _ids(replace(query, limit=_PART - 1), after).subquery()
        part = select(jobs.c.id, jobs.c.name).where(jobs.c.id.in_(select(ids))).order_by(_order(query, jobs.c.id))
        looked = tx.conn.execute(part).all()
        found += [row.id for row in looked if words in row.name.casefold() or words in row.id]
        if len(found) > query.limit:
            return _page_of(tx, found[: query.limit], found[query.limit - 1])
        if len(looked) < _PART:
            return _page_of(tx, found, None)
        after = looked[-1].id
    return _page_of(tx, found, after)


def _page_of(tx: Tx, ids: Sequence[str], last: str | None) -> JobPage:
    jobs_found = reading.several(tx, ids)
    shown = tuple(jobs_found[job_id] for job_id in ids if job_id in jobs_found)
    return JobPage(shown, cursor(last) if last is not None else None)


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
    return conditions


def _with(status: Status | None) -> list[ColumnElement[bool]]:
    return [] if status is None else [jobs.c.status == status]


def _order(query: JobQuery, job_id: ColumnElement[str]) -> ColumnElement[Any]:
    return job_id.asc() if query.ascending else job_id.desc()
