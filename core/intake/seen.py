"""What was seen of one column's values, block by block, in memory that does not grow with the rows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.groups import told
from core.intake.words import DATETIME, word

KEPT = 16_384
"""Hashes kept of a column with more distinct values than are counted: how many there are is estimated to about 1 %."""
GROUPED = 200
"""For each value that is counted by its word, so many are counted by their hash: 200,000 in a narrow table."""
EXAMPLES = 3
_EXAMPLE, _COUNTED = 80, 200
"""Characters of an example, and of a word that can be counted."""


class Seen:
    """The values of one column, without the missing; `few`: how many distinct ones are counted by their words."""

    def __init__(self, few: int) -> None:
        self.rows = 0
        self._least: Any = None
        self._most: Any = None
        self.examples: tuple[str, ...] = ()
        self._few = few
        self._hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._times: NDArray[np.int64] | None = np.empty(0, np.int64)
        """How often each of the hashes came, as long as all of them are kept."""
        self._counts: dict[str, int] | None = {}
        self._sum = 0.0
        self._whole = True

    def take(self, values: pl.Series) -> None:
        """Take the next block's values, none of them null."""
        self.rows += len(values)
        if values.is_empty():
            return
        if values.dtype in {pl.Float64, DATETIME}:
            self._take_ends(values)
        if values.dtype == pl.Float64:
            self._sum += float(values.sum())
            self._whole = self._whole and bool((values == values.floor()).all())
        if len(self.examples) < EXAMPLES:
            self._take_examples(values)
        self._take_hashes(values)
        self._take_counts(values)

    @property
    def distinct(self) -> int:
        """How many distinct values there are: counted as far as hashes are, else estimated from the smallest of them.

        K minimum values (Bar-Yossef et al., 2002); never more than rows.
        """
        if self._times is not None or len(self._hashes) < KEPT:
            return len(self._hashes)
        return min(self.rows, round((KEPT - 1) / (float(self._hashes[-1]) / 2**64)))

    @property
    def minimum(self) -> float | str | None:
        """The smallest number, or the first date in ISO 8601."""
        return _told(self._least)

    @property
    def maximum(self) -> float | str | None:
        """The largest number, or the last date in ISO 8601."""
        return _told(self._most)

    @property
    def mean(self) -> float | None:
        """The mean of numbers; None of anything else, and where it is beyond the largest number."""
        mean = self._sum / self.rows if isinstance(self._least, float) else math.nan
        return mean if math.isfinite(mean) else None

    @property
    def counts(self) -> dict[str, int] | None:
        """How often each value occurs, the most frequent first; None when there are too many."""
        if self._counts is None or not self.rows:
            return None
        return dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def groups(self) -> str | None:
        """How many values occur how often, as `core.groups` tells it; None of fractions, and of too many to count."""
        if self._times is None or not self._whole:
            return None
        sizes, counts = np.unique(self._times, return_counts=True)
        return told(dict(zip(sizes.tolist(), counts.tolist(), strict=True)))

    def _take_ends(self, values: pl.Series) -> None:
        least, most = values.min(), values.max()
        self._least = least if self._least is None else min(self._least, least)
        self._most = most if self._most is None else max(self._most, most)

    def _take_examples(self, values: pl.Series) -> None:
        fresh = values.head(1000).unique(maintain_order=True).head(2 * EXAMPLES)
        self.examples = tuple(dict.fromkeys((*self.examples, *(_cut(word(value)) for value in fresh))))[:EXAMPLES]

    def _take_hashes(self, values: pl.Series) -> None:
        if self._times is not None:
            self._count_hashes(values.hash(seed=0).to_numpy(), self._times)
            return
        if len(self._hashes) < KEPT:
            hashes = values.unique().hash(seed=0).to_numpy()
        else:
            hashes = values.hash(seed=0).to_numpy()
            hashes = hashes[hashes < self._hashes[-1]]
        merged = np.sort(np.concatenate([self._hashes, hashes]))
        self._hashes = merged[np.concatenate([[True], merged[1:] != merged[:-1]])][:KEPT]

    def _count_hashes(self, hashes: NDArray[np.uint64], before: NDArray[np.int64]) -> None:
        found, times = np.unique(hashes, return_counts=True)
        merged, places = np.unique(np.concatenate([self._hashes, found]), return_inverse=True)
        if len(merged) > self._few * GROUPED:
            self._hashes, self._times = merged[:KEPT], None
            return
        counted = np.zeros(len(merged), np.int64)
        np.add.at(counted, places, np.concatenate([before, times]))
        self._hashes, self._times = merged, counted

    def _take_counts(self, values: pl.Series) -> None:
        if self._counts is None:
            return
        found = values.value_counts()
        if found.height > self._few:
            self._counts = None
            return
        for value, count in found.iter_rows():
            key = word(value)
            self._counts[key] = self._counts.get(key, 0) + count
        if len(self._counts) > self._few or any(len(key) > _COUNTED for key in self._counts):
            self._counts = None


def _told(value: float | datetime | None) -> float | str | None:
    return word(value) if isinstance(value, datetime) else value


def _cut(text: str) -> str:
    return text if len(text) <= _EXAMPLE else f"{text[: _EXAMPLE - 1]}…"
