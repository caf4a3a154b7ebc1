"""In which order jobs are listed: by age, or by a column and then by age, each along an index of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, AwareDatetime, FiniteFloat, StringConstraints, TypeAdapter
from sqlalchemy import ColumnElement, literal, tuple_

from core.ids import is_id
from core.sorting import Sorting
from core.store.cursors import cursor, cursor_of, id_of, place_of
from core.store.tables import jobs


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        message = "this is no moment of any year"
        raise ValueError(message) from None


def _a_job(text: str) -> str:
    if not is_id(text, kind="job"):
        message = "this is no id of a job"
        raise ValueError(message)
    return text


_NAME = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_MOMENT = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_JOB = Annotated[str, AfterValidator(_a_job)]


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
    Sorting.NAME: _Figure(jobs.c.name, TypeAdapter(tuple[_NAME, _JOB]), always=True),
    Sorting.LOSS: _Figure(jobs.c.best_loss, TypeAdapter(tuple[FiniteFloat | None, _JOB])),
    Sorting.FINISHED: _Figure(jobs.c.finished_at, TypeAdapter(tuple[_MOMENT | None, _JOB])),
}


def figure_of(order: Sorting) -> ColumnElement[Any] | None:
    """The column by which jobs are listed; None where that is their age alone."""
    figure = _figure(order)
    return figure.column if figure is not None else None


def place_in(order: Sorting, text: str) -> Place:
    """Where a page in this order ended; raises BadRequest for a text that is no cursor of it."""
    figure = _figure(order)
    return Place(None, id_of(text)) if figure is None else Place(*place_of(text, figure.places))


def cursor_in(order: Sorting, at: Place) -> str:
    """The opaque text that stands for "behind this place"."""
    figure = _figure(order)
    return cursor(at.id) if figure is None else cursor_of(at, figure.places)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a list that an index holds in its order: which jobs it has, and by what they are sorted."""

    conditions: Sequence[ColumnElement[bool]]
    keys: Sequence[ColumnElement[Any]]


def stretches(order: Sorting, after: Place | None, *, job_id: ColumnElement[str]) -> list[Stretch]:
    """What is left of a list behind a place: jobs with the figure, then, whichever way it goes, those without."""
    figure = _figure(order)
    if figure is None:
        return [_behind(order, Stretch([], [job_id]), after and after[1:])]
    having = Stretch([] if figure.always else [figure.column.is_not(None)], [figure.column, jobs.c.id])
    lacking = Stretch([figure.column.is_(None)], [jobs.c.id])
    if after is not None and after.figure is None:
        return [_behind(order, lacking, after[1:])]
    return [_behind(order, having, after), *([] if figure.always else [lacking])]


def _behind(order: Sorting, stretch: Stretch, at: Sequence[Any] | None) -> Stretch:
    if at is None:
        return stretch
    row = tuple_(*stretch.keys)
    place = tuple_(*(literal(value, key.type) for value, key in zip(at, stretch.keys, strict=True)))
    return Stretch([*stretch.conditions, row < place if order.falls else row > place], stretch.keys)


def _figure(order: Sorting) -> _Figure | None:
    return _FIGURES.get(order.removeprefix("-"))
