"""A table's columns as numbers: fitted on the training part, kept beside the weights as JSON, the same ever after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.encoding import Reading
from core.loading.categories import Block, Coded
from core.loading.codes import Code, fitted, restored
from core.loading.table import Cells, Words

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Encoder:
    """All of a table's features, side by side."""

    codes: tuple[Code, ...]

    def __call__(self, columns: Mapping[str, Cells], rows: Rows) -> Block:
        """These rows of the columns as numbers: float64 `(rows, slots)`, not scaled yet."""
        block, start = np.zeros((len(rows), len(self.slots))), 0
        for code in self.codes:
            end = start + len(code.slots)
            code.write(cells_at(columns[code.name], rows), block[:, start:end])
            start = end
        return block

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the numbers."""
        return tuple(slot for code in self.codes for slot in code.slots)

    @property
    def scaled(self) -> NDArray[np.bool_]:
        """Which of the slots scaling applies to."""
        return np.array([place < code.scaled for code in self.codes for place in range(len(code.slots))], bool)

    @property
    def coded(self) -> int:
        """How many slots are codes, which no scaling may touch; they are the last."""
        return sum(isinstance(code, Coded) for code in self.codes)

    def statistics(self) -> list[dict[str, Any]]:
        """What `model.json` keeps; `restore` is the inverse."""
        return [code.statistics() for code in self.codes]

    @classmethod
    def restore(cls, statistics: Iterable[Mapping[str, Any]]) -> Encoder:
        """The encoder with these statistics."""
        return cls(tuple(map(restored, statistics)))


def fit(columns: Mapping[str, Cells], readings: Mapping[str, Reading], rows: Rows) -> Encoder:
    """The encoder of the columns in `readings`, by these rows of them alone."""
    return Encoder(tuple(fitted(name, reading, cells_at(columns[name], rows)) for name, reading in readings.items()))


def cells_at(cells: Cells, rows: Rows) -> Cells:
    """The cells of these rows."""
    return cells.take(rows) if isinstance(cells, Words) else cells[rows]
