"""What a table's column becomes for a model: how many numbers, known before any row is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.dataset import Column, Kind

MOST_CATEGORIES = 64
"""One-hot slots of a column: its most frequent values in training. All rarer ones share the slot of the unknown."""
MOST_EMBEDDED = 10_000
"""The same of a column that a model embeds."""
MISSING, UNKNOWN, FIRST_WORD = range(3)
"""The codes of such a column: of an empty cell, of a word without a code, and of the first word."""
DATE_SLOTS = ("year", "day_of_year_sin", "day_of_year_cos", "weekday_sin", "weekday_cos", "time_sin", "time_cos")
"""A date as the year with its fraction, and the places on three circles: the year, the week and the day."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read: its kind, how many values a category has, and whether cells are missing."""

    kind: Kind
    distinct: int = 0
    missing: bool = False
    coded: bool = False
    """Whether a category is handed on as a code, for a model that embeds it."""

    @classmethod
    def of(cls, column: Column) -> Reading:
        """The reading of a column that was found in a file."""
        return cls(column.kind, column.distinct if column.kind == "category" else 0, missing=column.missing > 0)

    @classmethod
    def parse(cls, text: str) -> Reading:
        """The inverse of `str`.

        >>> Reading.parse("category 3?")
        Reading(kind='category', distinct=3, missing=True, coded=False)
        """
        kind, _, distinct = text.removesuffix("?").partition(" ")
        return cls(kind, int(distinct or 0), missing=text.endswith("?"))  # type: ignore[arg-type]

    def __str__(self) -> str:
        words = f"{self.kind} {self.distinct}" if self.kind == "category" else self.kind
        return f"{words}?" if self.missing else words

    @property
    def slots(self) -> int:
        """How many numbers it becomes: categories have their own place for what is missing, others an indicator."""
        if self.kind == "category":
            return 1 if self.coded else min(self.distinct, MOST_CATEGORIES) + 1
        return (len(DATE_SLOTS) if self.kind == "date" else 1) + self.missing

    @property
    def codes(self) -> int:
        """How many codes a category has, those of no word among them."""
        return min(self.distinct, MOST_EMBEDDED) + FIRST_WORD


def readings(columns: Mapping[str, str], *, embeds: bool = False) -> dict[str, Reading]:
    """How columns are read that are told like `Facts.columns`; for a model that embeds, categories are codes, and last.

    >>> [str(reading) for reading in readings({"a": "category 3", "b": "number?"}, embeds=True).values()]
    ['number?', 'category 3']
    """
    read = {name: Reading.parse(told) for name, told in columns.items()}
    if not embeds:
        return read
    numbers = {name: reading for name, reading in read.items() if reading.kind != "category"}
    return numbers | {name: replace(one, coded=True) for name, one in read.items() if one.kind == "category"}
