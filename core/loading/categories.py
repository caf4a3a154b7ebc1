"""What a column of words becomes: a 1 in the place of each word, or a code for a model that embeds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.encoding import FIRST_WORD, MISSING, MOST_CATEGORIES, UNKNOWN, Reading
from core.loading.table import Cells, Words, words

Block = NDArray[np.float64]


@dataclass(frozen=True)
class Category:
    """A word as a 1 in its own slot; the last slot is for every other word and for an empty cell.

    Where the training part had neither, scaling holds that slot at 0: weights that never learned anything of it would
    answer at random.
    """

    name: str
    values: tuple[str, ...]
    width: int

    @classmethod
    def fit(cls, name: str, reading: Reading, cells: Cells) -> Self:
        """By the cells of the training part: its most frequent words have slots, in the order of the alphabet."""
        return cls(name, _frequent(words(cells), MOST_CATEGORIES), reading.slots)

    @property
    def slots(self) -> tuple[str, ...]:
        """One for each word, then those that training had no word for."""
        unused = (f"{self.name} unused" for _ in range(self.width - len(self.values) - 1))
        return (*(f"{self.name}={value}" for value in self.values), *unused, f"{self.name} other")

    @property
    def scaled(self) -> int:
        """A word has no unit."""
        return 0

    def write(self, cells: Cells, block: Block) -> None:
        """Fill the block."""
        places, last = {value: place for place, value in enumerate(self.values)}, self.width - 1
        slots = np.array([*(places.get(name, last) for name in words(cells).names), last])  # the code -1 is the last
        block[np.arange(len(block)), slots[words(cells).codes]] = 1.0

    def statistics(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "kind": "category", "values": list(self.values), "slots": self.width}


@dataclass(frozen=True)
class Coded:
    """A word as a code: its place among the words of training; an empty cell and every other word have codes before."""

    name: str
    values: tuple[str, ...]
    codes: int
    """How many codes there may be: all that the model has vectors for."""

    @classmethod
    def fit(cls, name: str, reading: Reading, cells: Cells) -> Self:
        """By the cells of the training part: its most frequent words have codes, in the order of the alphabet."""
        return cls(name, _frequent(words(cells), reading.codes - FIRST_WORD), reading.codes)

    @property
    def slots(self) -> tuple[str, ...]:
        """The code alone."""
        return (self.name,)

    @property
    def scaled(self) -> int:
        """A code has no unit."""
        return 0

    def write(self, cells: Cells, block: Block) -> None:
        """Fill the block."""
        places = {value: place for place, value in enumerate(self.values, FIRST_WORD)}
        codes = np.array([*(places.get(name, UNKNOWN) for name in words(cells).names), MISSING])
        block[:, 0] = codes[words(cells).codes]  # the code -1 is the last

    def statistics(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "kind": "category", "values": list(self.values), "codes": self.codes}


def _frequent(cells: Words, most: int) -> tuple[str, ...]:
    """The words that are there most often, at most so many, in the order of the alphabet."""
    counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.names))
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda code: (-counts[code], cells.names[code]))
    return tuple(sorted(cells.names[code] for code in order[:most]))
