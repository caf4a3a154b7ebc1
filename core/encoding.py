"""What a table's column becomes for a model: how many numbers, known before any row is read."""

from __future__ import annotations

from dataclasses import dataclass

from core.dataset import Column, Kind

MOST_CATEGORIES = 64
"""One-hot slots of a column: its most frequent values in training. All rarer ones share the slot of the unknown."""
DATE_SLOTS = ("year", "day_of_year_sin", "day_of_year_cos", "weekday_sin", "weekday_cos", "time_sin", "time_cos")
"""A date as the year with its fraction, and the places on three circles: the year, the week and the day."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column is read: its kind, how many values a category has, and whether cells are missing."""

    kind: Kind
    distinct: int = 0
    missing: bool = False

    @classmethod
    def of(cls, column: Column) -> Reading:
        """The reading of a column that was found in a file."""
        return cls(column.kind, column.distinct if column.kind == "category" else 0, missing=column.missing > 0)

    @classmethod
    def parse(cls, text: str) -> Reading:
        """The inverse of `str`.

        >>> Reading.parse("category 3?")
        Reading(kind='category', distinct=3, missing=True)
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
            return min(self.distinct, MOST_CATEGORIES) + 1
        return (len(DATE_SLOTS) if self.kind == "date" else 1) + self.missing
