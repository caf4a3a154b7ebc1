"""What one column becomes, kind by kind: fitted on the training part, and JSON for whoever predicts later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.encoding import DATE_SLOTS, Reading
from core.loading.categories import Block, Category, Coded
from core.loading.table import Cells, numbers

_DAY_S = 86_400.0
_WEEK_DAYS = 7
_THURSDAY = 3
"""The first of January 1970, as a day of the week that begins on Monday."""


class Code(Protocol):
    """What one column becomes."""

    @property
    def name(self) -> str:
        """The column's name."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the numbers that it becomes."""

    @property
    def scaled(self) -> int:
        """How many of the first slots have a unit, so that scaling applies to them."""

    def write(self, cells: Cells, block: Block) -> None:
        """Fill `block` `(rows, slots)`, which is zero, with what the cells mean."""

    def statistics(self) -> dict[str, Any]:
        """What `model.json` keeps."""


@dataclass(frozen=True)
class Quantity:
    """A number or a boolean as itself; an empty cell as the mean of training, with a 1 in the indicator beside it.

    There is an indicator where the file had empty cells.
    """

    name: str
    kind: str
    mean: float
    missing: bool

    @classmethod
    def fit(cls, name: str, reading: Reading, cells: Cells) -> Self:
        """By the cells of the training part."""
        return cls(name, reading.kind, _mean(cells), reading.missing)

    @property
    def slots(self) -> tuple[str, ...]:
        """The value, and the indicator."""
        return (self.name, *_indicator(self))

    @property
    def scaled(self) -> int:
        """Numbers have a unit; true and false are 1 and 0."""
        return int(self.kind == "number")

    def write(self, cells: Cells, block: Block) -> None:
        """Fill the block."""
        block[:, 0] = _imputed(cells, self.mean, block, indicates=self.missing)

    def statistics(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "kind": self.kind, "mean": self.mean, "missing": self.missing}


@dataclass(frozen=True)
class Moment:
    """A date as the year with its fraction, and as places on the circles of the year, the week and the day (sin, cos).

    So the 31st of December is beside the 1st of January. An empty cell is the mean moment of training.
    """

    name: str
    mean: float
    missing: bool

    @classmethod
    def fit(cls, name: str, reading: Reading, cells: Cells) -> Self:
        """By the cells of the training part."""
        return cls(name, _mean(cells), reading.missing)

    @property
    def slots(self) -> tuple[str, ...]:
        """Those of a date, and the indicator."""
        return (*(f"{self.name} {slot}" for slot in DATE_SLOTS), *_indicator(self))

    @property
    def scaled(self) -> int:
        """The year alone has a unit."""
        return 1

    def write(self, cells: Cells, block: Block) -> None:
        """Fill the block."""
        seconds = _imputed(cells, self.mean, block, indicates=self.missing)
        moments = np.round(seconds * 1e6).astype(np.int64).astype("datetime64[us]")
        years = moments.astype("datetime64[Y]")
        starts, ends = (part.astype("datetime64[us]").astype(np.float64) / 1e6 for part in (years, years + 1))
        of_year, days = (seconds - starts) / (ends - starts), np.floor(seconds / _DAY_S)
        block[:, 0] = years.astype(np.int64) + 1970 + of_year
        of_week = (days + _THURSDAY) % _WEEK_DAYS / _WEEK_DAYS
        for place, turn in zip((1, 3, 5), (of_year, of_week, seconds / _DAY_S - days), strict=True):
            block[:, place], block[:, place + 1] = np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)

    def statistics(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "kind": "date", "mean": self.mean, "missing": self.missing}


def fitted(name: str, reading: Reading, cells: Cells) -> Code:
    """What a column becomes, by its cells of the training part."""
    if reading.kind == "category":
        return (Coded if reading.coded else Category).fit(name, reading, cells)
    return Moment.fit(name, reading, cells) if reading.kind == "date" else Quantity.fit(name, reading, cells)


def restored(kept: Mapping[str, Any]) -> Code:
    """What a column became, by its statistics."""
    if kept["kind"] == "category":
        kind, size = (Coded, kept["codes"]) if "codes" in kept else (Category, kept["slots"])
        return kind(kept["name"], tuple(kept["values"]), size)
    if kept["kind"] == "date":
        return Moment(kept["name"], kept["mean"], kept["missing"])
    return Quantity(kept["name"], kept["kind"], kept["mean"], kept["missing"])


def _mean(cells: Cells) -> float:
    """Of what is there; 0 where nothing is."""
    there = numbers(cells)[~np.isnan(numbers(cells))]
    return float(there.mean()) if len(there) else 0.0


def _imputed(cells: Cells, mean: float, block: Block, *, indicates: bool) -> NDArray[np.float64]:
    empty = np.isnan(numbers(cells))
    if indicates:
        block[:, -1] = empty
    return np.where(empty, mean, numbers(cells))


def _indicator(code: Quantity | Moment) -> tuple[str, ...]:
    return (f"{code.name} missing",) if code.missing else ()
