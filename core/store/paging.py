"""Pages of jobs: what is asked for, and opaque cursors that cost the same however long the history is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, literal, null, select, union_all

from core.job import Job, Status
from core.sorting import Sorting
from core.store import reading
from core.store.backend import Tx
from core.store.ordering import Place, cursor_in, figure_of, place_in, stretches
from core.store.tables import job_labels, jobs

_PART = 1000
_PARTS = 10
"""So many names at a time, and so often, are looked through for one page of a search: some 10 ms."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list, and in which order; `after` is the `next` of a page in the same order.

    `search` is found anywhere in a name or an id, in capitals or not.
    """

    limit: int = 50
    after: str | None = None
    statuses: Collection[Status] = ()
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    order: Sorting = Sorting.NEWEST
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
    after = place_in(query.order, query.after) if query.after is not None else None
    if query.search is not None:
        return _searched(tx, query, after)
    found = tx.conn.execute(_next(query, after)).all()
    return _page_of(tx, query, found, _place(found[query.limit - 1]) if len(found) > query.limit else None)


def _searched(tx: Tx, query: JobQuery, after: Place | None) -> JobPage:
    """The jobs of a page among the next 10,000 that else would be listed: so much at most is looked through."""
    words = (query.search or "").casefold()
    found: list[Row[Any]] = []
    for _ in range(_PARTS):
        looked = tx.conn.execute(_next(replace(query, limit=_PART - 1), after)).all()
        found += [row for row in looked if words in row.name.casefold() or words in row.id]
        if len(found) > query.limit:
            return _page_of(tx, query, found, _place(found[query.limit - 1]))
        if len(looked) < _PART:
            return _page_of(tx, query, found, None)
        after = _place(looked[-1])
    return _page_of(tx, query, found, after)


def _page_of(tx: Tx, query: JobQuery, found: Sequence[Row[Any]], last: Place | None) -> JobPage:
    ids = [row.id for row in found[: query.limit]]
    jobs_found = reading.several(tx, ids)
    shown = tuple(jobs_found[job_id] for job_id in ids if job_id in jobs_found)
    return JobPage(shown, cursor_in(query.order, last) if last is not None else None)


def _place(row: Row[Any]) -> Place:
    return Place(row.figure, row.id)


def _next(query: JobQuery, after: Place | None) -> Select[Any]:
    """One place more than the page holds: each status and stretch by an index, then merged; no history is sorted."""
    by_age = figure_of(query.order) is None
    statuses: Iterable[Status | None] = set(query.statuses) or ([None] if by_age else list(Status))
    parts = [part for status in statuses for part in _parts(query, after, status)]
    if len(parts) == 1:
        return parts[0]
    merged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    keys = [merged.c.id] if by_age else [merged.c.figure, merged.c.id]
    return select(merged).order_by(merged.c.stretch, *_sorted(query, keys)).limit(query.limit + 1)


def _parts(query: JobQuery, after: Place | None, status: Status | None) -> list[Select[Any]]:
    figure = figure_of(query.order)
    wanted = select(jobs.c.id, jobs.c.name, (null() if figure is None else figure).label("figure"))
    job_id: ColumnElement[str] = jobs.c.id
    for number, (key, value) in enumerate(query.labels.items()):
        label = job_labels.alias(f"label_{number}")
        wanted = wanted.join(label, label.c.job_id == jobs.c.id).where(label.c.key == key, label.c.value == value)
        job_id = label.c.job_id if number == 0 else job_id
    if query.name is not None:
        wanted = wanted.where(jobs.c.name == query.name)
    if status is not None:
        wanted = wanted.where(jobs.c.status == status)
    return [
        wanted.add_columns(literal(number).label("stretch"))
        .where(*stretch.conditions)
        .order_by(*_sorted(query, stretch.keys))
        .limit(query.limit + 1)
        for number, stretch in enumerate(stretches(query.order, after, job_id=job_id))
    ]


def _sorted(query: JobQuery, keys: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [key.desc() if query.order.falls else key.asc() for key in keys]
