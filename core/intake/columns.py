"""What a column holds, told from all of its cells: a number, a boolean, a category, a date or a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.dataset import Column, Format, Kind
from core.intake.oddities import Oddities
from core.intake.places import SHOWN, Places, refused
from core.intake.seen import Seen
from core.intake.words import DATES, PLAIN, booleans, dates, numbers, present

MOST_WORDS = 64
"""More distinct words than this, in more than half of the rows, are a text; fewer are a category."""

FEW, FEW_IN_ALL = 1_000, 20_000
"""Distinct values that are counted one by one: of a column, and of all columns together (64 of each at least)."""

Rows = NDArray[np.int64]


class ColumnTally:
    """One column as its blocks come by. `few`: how many distinct values are counted one by one."""

    def __init__(self, name: str, format_: Format, *, few: int, missing: int = 0) -> None:
        self.name = name
        self._format = format_
        self._missing = missing
        self._words = Seen(few)
        self._few = few
        self._readings: list[_Reading] | None = None
        self._oddities = Oddities()

    def take(self, cells: pl.Series, rows: Rows) -> None:
        """Take the next block's cells and the numbers of their rows in the file."""
        values = _values(cells, self._format)
        if self._readings is None and values.dtype != pl.Null:
            self._readings = _readings(values.dtype, self._format, self._few)
        held = values.is_not_null()
        self._missing += len(values) - int(held.sum())
        values, rows = values.filter(held), rows[held.to_numpy()]
        if values.dtype == pl.String:
            self._words.take(values)
        if not values.is_empty():
            self._readings = list(_still(self._readings or [], values, rows))
            if values.dtype == pl.String and self._format in PLAIN:
                numeric = any(reading.kind == "number" for reading in self._readings)
                self._oddities.take(values, rows, all_numbers=numeric)

    def told(self, places: Places) -> Column:
        """The column, when all of its cells are taken; numbers without end are noted in `places`."""
        reading = next(iter(self._readings or ()), None)
        if reading is not None and reading.read_any:
            reading.note(self.name, places)
            return self._column(reading.kind, reading.seen)
        text = self._words.distinct > MOST_WORDS and self._words.distinct * 2 > self._words.rows
        return replace(self._column("text" if text else "category", self._words), odd=self._oddities.told)

    def _column(self, kind: Kind, seen: Seen) -> Column:
        return Column(
            self.name,
            kind,
            missing=self._missing,
            distinct=seen.distinct,
            minimum=seen.minimum if kind in {"number", "date"} else None,
            maximum=seen.maximum if kind in {"number", "date"} else None,
            mean=seen.mean,
            examples=seen.examples,
            counts=_counts(kind, seen),
            groups=seen.groups,
        )


def few_of(columns: int) -> int:
    """How many distinct values of each of so many columns are counted one by one."""
    return max(64, min(FEW, FEW_IN_ALL // max(1, columns)))


def told(tallies: Iterable[ColumnTally], rows: int) -> tuple[Column, ...]:
    """The columns of a table whose rows are all taken. Raises DataRefused without rows, and for infinity."""
    if not rows:
        raise refused("the table has columns, but no rows.")
    places = Places()
    columns = tuple(tally.told(places) for tally in tallies)
    places.judge()
    return columns


class _Reading:
    """One way to read a column's words, for as long as every one of them can be read like that."""

    def __init__(self, kind: Kind, read: Callable[[pl.Expr], pl.Expr], *, few: int) -> None:
        self.kind = kind
        self.seen = Seen(few)
        self._read = read
        self._endless: list[int] = []
        self._endless_count = 0

    def takes(self, values: pl.Series, rows: Rows) -> bool:
        """Take a block; False when one of its values cannot be read like this."""
        read = pl.select(self._read(pl.lit(values))).to_series()
        if read.null_count():
            return False
        if self.kind == "number":
            finite = read.is_finite()
            endless = rows[~finite.to_numpy()]
            self._endless += endless[: SHOWN - len(self._endless)].tolist()
            self._endless_count += len(endless)
            read = read.filter(finite)
        self.seen.take(read)
        return True

    @property
    def read_any(self) -> bool:
        """Whether there was any value to read."""
        return self.seen.rows + self._endless_count > 0

    def note(self, name: str, places: Places) -> None:
        """Note the numbers that are infinite."""
        for row in self._endless:
            places.add("the number is infinite, or too large.", row=row, column=name)
        places.add_more(self._endless_count - len(self._endless))


def _still(readings: list[_Reading], values: pl.Series, rows: Rows) -> Iterator[_Reading]:
    """Those of the readings that fit these values too, told without trying each: a thousand columns take their time."""
    dated = values.dtype != pl.String or values[0][0].isdigit()
    for reading in readings:
        if (dated or reading.kind != "date") and reading.takes(values, rows):
            yield reading
            if reading.kind == "number":
                return  # no number is a truth or a date


def _counts(kind: Kind, seen: Seen) -> dict[str, int] | None:
    """Of categories, booleans, and numbers that may be classes: whole ones."""
    counts = None if kind in {"text", "date"} else seen.counts
    if counts is not None and kind == "number" and not all(key.lstrip("-").isdigit() for key in counts):
        return None
    return counts


def _values(cells: pl.Series, format_: Format) -> pl.Series:
    """The cells as String, Float64, Boolean or Datetime, with null for what is missing."""
    if cells.dtype == pl.String:
        return pl.select(present(pl.lit(cells), format_)).to_series()
    return cells.fill_nan(None) if cells.dtype == pl.Float64 else cells


def _readings(dtype: pl.DataType, format_: Format, few: int) -> list[_Reading]:
    """Every way in which values of this type may be read, the plainest first."""
    if dtype == pl.Float64:
        return [_Reading("number", numbers, few=few)]
    if dtype == pl.Boolean:
        return [_Reading("boolean", lambda cells: cells, few=few)]
    if dtype == pl.Datetime:
        return [_Reading("date", lambda cells: cells, few=few)]
    written = [_Reading("date", dates(how), few=few) for how in DATES]
    if format_ not in PLAIN:
        return written
    return [_Reading("number", numbers, few=few), _Reading("boolean", booleans, few=few), *written]
