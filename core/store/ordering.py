"""In which order jobs are listed: by age, or by a column and then by age, each along an index of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import AwareDatetime, FiniteFloat, StringConstraints, TypeAdapter
from sqlalchemy import ColumnElement, literal, tuple_

from core.job import Order
from core.store.cursors import cursor, cursor_of, place, place_of
from core.store.tables import jobs

_NAME = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_JOB = Annotated[str, StringConstraints(pattern=r"^job_[0-9a-f]{32}$")]


class Place(NamedTuple):
    """Where a job stands in its list: its figure, if the list is by one and the job has it, and its id."""

    figure: Any
    id: str


@dataclass(frozen=True, slots=True)
class _Figure:
    """What jobs are listed by: its column, and how a place is written into a cursor."""

    column: ColumnElement[Any]
    places: TypeAdapter[Any]
    always: bool = False
    """Whether every job has it."""


_FIGURES: Mapping[str, _Figure] = {
    Order.NAME: _Figure(jobs.c.name, TypeAdapter(tuple[_NAME, _JOB]), always=True),
    Order.LOSS: _Figure(jobs.c.best_loss, TypeAdapter(tuple[FiniteFloat | None, _JOB])),
    Order.FINISHED: _Figure(jobs.c.finished_at, TypeAdapter(tuple[AwareDatetime | None, _JOB])),
}


def figure_of(order: Order) -> ColumnElement[Any] | None:
    """The column by which jobs are listed; None where that is their age alone."""
    figure = _figure(order)
    return figure.column if figure is not None else None


def place_in(order: Order, text: str) -> Place:
    """Where a page in this order ended; raises BadRequest for a text that is no cursor of it."""
    figure = _figure(order)
    return Place(None, place(text)) if figure is None else Place(*place_of(text, figure.places))


def cursor_in(order: Order, at: Place) -> str:
    """The opaque text that stands for "behind this place"."""
    figure = _figure(order)
    return cursor(at.id) if figure is None else cursor_of(at, figure.places)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a list that an index holds in its order: which jobs it has, and by what they are sorted."""

    conditions: Sequence[ColumnElement[bool]]
    keys: Sequence[ColumnElement[Any]]


def stretches(order: Order, after: Place | None, *, job_id: ColumnElement[str]) -> list[Stretch]:
    """What is left of a list behind a place: jobs with the figure, then, whichever way it goes, those without."""
    figure = _figure(order)
    if figure is None:
        return [_behind(order, [], [job_id], after and after[1:])]
    has_figure = [] if figure.always else [figure.column.is_not(None)]
    keys = [figure.column, jobs.c.id]
    rest = [jobs.c.id]
    if after is not None and after.figure is None:
        return [_behind(order, [figure.column.is_(None)], rest, after[1:])]
    found = [_behind(order, has_figure, keys, after)]
    return found if figure.always else [*found, _behind(order, [figure.column.is_(None)], rest, None)]


def _behind(
    order: Order,
    conditions: Sequence[ColumnElement[bool]],
    keys: Sequence[ColumnElement[Any]],
    at: Sequence[Any] | None,
) -> Stretch:
    if at is None:
        return Stretch(conditions, keys)
    row = tuple_(*keys)
    values = tuple_(*(literal(value, key.type) for value, key in zip(at, keys, strict=True)))
    return Stretch([*conditions, row < values if order.falls else row > values], keys)


def _figure(order: Order) -> _Figure | None:
    return _FIGURES.get(order.removeprefix("-"))
