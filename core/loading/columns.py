"""A file's columns as cells, and a table whose columns stay in the file until one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.loading.table import Cells, Words

if TYPE_CHECKING:
    import polars as pl

    from core.intake.lazily import LazyTable


def cells_of(column: pl.Series) -> Cells:
    """A column as it was read, without polars around it."""
    import polars as pl

    if column.dtype == pl.String:
        names = column.drop_nulls().unique().sort()
        codes = column.cast(pl.Enum(names)).to_physical().cast(pl.Int32).fill_null(-1)
        return Words(codes.to_numpy(), tuple(names.to_list()))
    if column.dtype == pl.Datetime:
        return column.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    return column.cast(pl.Float64).to_numpy()


@dataclass(frozen=True)
class LazyColumns(Mapping[str, Cells]):
    """These columns of a file, each read whole when it is asked for: hold one at a time."""

    table: LazyTable
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> Cells:
        if name not in self.names:
            raise KeyError(name)
        return cells_of(self.table[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def block(self, rows: NDArray[np.intp], names: tuple[str, ...]) -> dict[str, Cells]:
        """These columns of these rows, which ascend; few more rows than these are ever in memory."""
        return {name: cells_of(column) for name, column in self.table.rows(rows, names).items()}
