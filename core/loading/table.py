"""A table in memory, column by column, before its columns become a model's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words: `codes` (int32) say which of `names` each row has, -1 where the cell is empty."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    def take(self, rows: NDArray[np.intp]) -> Words:
        """The words of these rows."""
        return Words(self.codes[rows], self.names)

    def spelled(self) -> NDArray[np.object_]:
        """The words themselves, None where the cell is empty."""
        return np.array([*self.names, None], np.object_)[self.codes]


Cells = NDArray[np.float64] | Words
"""A column: numbers, booleans as 0 and 1, dates as seconds since 1970 (NaN where the cell is empty); or words."""


def numbers(cells: Cells) -> NDArray[np.float64]:
    """A column that is known to hold numbers; TypeError for words."""
    if isinstance(cells, Words):
        raise TypeError("This column holds words.")
    return cells


def words(cells: Cells) -> Words:
    """A column that is known to hold words; TypeError for numbers."""
    if not isinstance(cells, Words):
        raise TypeError("This column holds numbers.")
    return cells


@dataclass(frozen=True, slots=True)
class Table:
    """The columns that a job reads, and its target.

    y: int64 `(rows,)` for classes, float64 `(rows, outputs)` for numbers and, as 0 and 1, for labels.
    """

    columns: Mapping[str, Cells]
    y: NDArray[Any]
    class_names: tuple[str, ...] | None = None

    def by(self, name: str | None) -> NDArray[Any] | None:
        """What a split goes by: each row's number, moment (in seconds) or word; None without a name."""
        if name is None:
            return None
        cells = self.columns[name]
        return cells.spelled() if isinstance(cells, Words) else cells
