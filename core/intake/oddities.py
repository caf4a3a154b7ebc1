"""Columns that are nearly numbers: which few cells are none, so that whoever meant numbers can be told."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.dataset import Odd
from core.intake.words import numbers

MOST = 20
"""Less than one cell in so many may be odd."""
_SPARE = 1_000
"""Odd cells after which a column must have shown its numbers: a text is not tried to its end."""
_PLACES = 3
_WORD = 40
"""Characters of a word that is told."""


class Oddities:
    """The cells of a column that are no numbers, for as long as nearly all others are."""

    def __init__(self) -> None:
        self._cells = 0
        self._count = 0
        self._places: list[tuple[int, str]] = []
        self._is_text = False

    def take(self, words: pl.Series, rows: NDArray[np.int64], *, all_numbers: bool) -> None:
        """Take the next block's words, none of them missing, and the numbers of their rows."""
        self._cells += len(words)
        if all_numbers or self._is_text:
            return
        odd = pl.select(numbers(pl.lit(words)).is_null()).to_series()
        self._count += int(odd.sum())
        self._is_text = self._count > max(_SPARE, self._cells / MOST)
        places = np.flatnonzero(odd.to_numpy())[: _PLACES - len(self._places)]
        self._places += [(int(rows[place]), _cut(words[int(place)])) for place in places]

    @property
    def told(self) -> Odd | None:
        """What was found; None where the column is something else than numbers."""
        if self._is_text or not self._count or self._count * MOST >= self._cells:
            return None
        return Odd(self._count, self._cells, tuple(self._places))


def _cut(word: str) -> str:
    return word if len(word) <= _WORD else f"{word[: _WORD - 1]}…"
