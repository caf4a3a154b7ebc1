"""A Parquet table that passed inspection, read when it is asked for: a whole column, or some rows of several."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.dataset import Kind
from core.errors import DataRefused, InvalidData
from core.intake import typed
from core.intake.reading import typed_cells, way_of
from core.intake.words import present

Places = NDArray[np.intp]

_SPREAD = 2
"""How many times as many rows as wanted are read at a time where these lie far from each other."""


@dataclass(frozen=True)
class LazyTable:
    """The columns of `kinds`; `kept` are the rows of the file that count (None: all), whose order is the table's.

    It can be sent to another process: what is open, is opened there anew.
    """

    path: Path
    kinds: Mapping[str, Kind]
    kept: Places | None = None
    ways: dict[str, str] = field(default_factory=dict)
    """How the dates of a column of words are written, told by all of them when the column is first read."""

    def __getitem__(self, name: str) -> pl.Series:
        """The whole column, null where a cell is missing; raises InvalidData for a file that cannot be read so."""
        with _broken():
            cells = _scanned(self.path, tuple(self.kinds)).select(name).collect(engine="streaming")[name]
            if self.kinds[name] == "date" and cells.dtype == pl.String:
                self.ways[name] = way_of(pl.select(present(pl.lit(cells), "parquet")).to_series())
            cells = self._typed(cells)
            return cells if self.kept is None else cells.gather(self.kept)

    def drop_nulls(self, names: Sequence[str]) -> LazyTable:
        """The same table without the rows in which one of these columns is empty."""
        there = [self[name].is_not_null().to_numpy() for name in names]
        places = np.flatnonzero(np.logical_and.reduce(there))
        if len(places) == len(there[0]):
            return self
        return replace(self, kept=places if self.kept is None else self.kept[places])

    def rows(self, places: Places, names: Sequence[str]) -> Mapping[str, pl.Series]:
        """These columns of the rows at `places`, which ascend; few more rows than these are ever in memory."""
        with _broken():
            found = pl.concat(list(self._pieces(places if self.kept is None else self.kept[places])))
            return {name: self._typed(found[name]) for name in names}

    def _pieces(self, places: Places) -> Iterator[pl.DataFrame]:
        """The rows of the file in spans, each of at most `_SPREAD` times as many rows as are wanted in all."""
        table, most = _scanned(self.path, tuple(self.kinds)), _SPREAD * len(places)
        while len(places):
            first = int(places[0])
            here = int(np.searchsorted(places, first + most))
            span = table.slice(first, int(places[here - 1]) - first + 1).collect()
            yield span if span.height == here else span[places[:here] - first]
            places = places[here:]

    def _typed(self, cells: pl.Series) -> pl.Series:
        return typed_cells(cells, self.kinds[cells.name], "parquet", way=self.ways.get(cells.name))


@functools.lru_cache(maxsize=2)
def _scanned(path: Path, names: tuple[str, ...]) -> pl.LazyFrame:
    """The table behind its footer, which is read once."""
    return typed.scan(path).select(names)


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, DataRefused) as error:
        raise InvalidData(f"The dataset cannot be read as it was: {str(error).splitlines()[0]}") from error
