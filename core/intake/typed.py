"""A Parquet or Arrow file, whose columns have types: told batch by batch, after a Parquet file's footer was judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from core.dataset import Column
from core.intake.columns import ColumnTally, few_of, told
from core.intake.header import judge_names
from core.intake.limits import Limits
from core.intake.places import Places, refused
from core.intake.words import DATETIME

MOST_FOOTER = 64 << 20
"""Bytes of a Parquet footer: beyond that it is no table of a thousand columns."""
_CELLS = 2_000_000
"""Of one batch."""
_SIGN = b"PAR1"
_FILE = b"ARROW1"


def inspect(path: Path, limits: Limits, *, arrow: bool = False) -> tuple[int, tuple[Column, ...]]:
    """The rows and columns of a Parquet file, or of an Arrow one. Raises DataRefused with places."""
    if not arrow:
        _judge_footer(path)
    table = scan(path, arrow=arrow)
    names = table.collect_schema().names()
    judge_names(names, limits)
    rows = int(table.select(pl.len()).collect().item())
    if rows > limits.rows:
        raise refused(f"the table has {rows:,} rows; {limits.rows:,} are allowed.")
    tallies = [ColumnTally(name, "parquet", few=few_of(len(names))) for name in names]
    places = Places()
    taken = 0
    for batch in table.collect_batches(chunk_size=max(1000, _CELLS // len(names)), maintain_order=True):
        numbers = np.arange(taken + 1, taken + 1 + batch.height)
        for tally, cells in zip(tallies, batch.iter_columns(), strict=True):
            note_long(cells, numbers, limits, places)
            tally.take(cells, numbers)
        taken += batch.height
    places.judge()
    return rows, told(tallies, rows)


def scan(path: Path, *, arrow: bool = False) -> pl.LazyFrame:
    """The table's columns as Float64, Boolean, Datetime and String. Raises DataRefused for other types."""
    table = _arrow(path) if arrow else pl.scan_parquet(path, glob=False, hive_partitioning=False)
    schema = table.collect_schema()
    places = Places()
    read = {name: _read(pl.col(name), dtype) for name, dtype in schema.items()}
    for name, dtype in schema.items():
        if read[name] is None:
            places.add(f"the column holds {dtype}: a table has one number, word, date or truth per cell.", column=name)
    places.judge()
    return table.select([cells for cells in read.values() if cells is not None])


def note_long(
    cells: pl.Series, rows: np.ndarray[tuple[int], np.dtype[np.int64]], limits: Limits, places: Places
) -> None:
    """Note the words that are too long."""
    if cells.dtype != pl.String:
        return
    long = rows[(cells.str.len_bytes().fill_null(0) > limits.cell_bytes).to_numpy()]
    for row in long.tolist():
        places.add(f"the cell has more than {limits.cell_bytes:,} bytes.", row=row, column=cells.name)


def _read(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    if dtype.is_numeric():
        return cells.cast(pl.Float64)
    if isinstance(dtype, pl.Datetime):
        return (cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else cells).cast(
            DATETIME
        )
    if dtype == pl.Date:
        return cells.cast(DATETIME)
    if dtype == pl.Boolean:
        return cells
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        return cells.cast(pl.String)
    return None


def _arrow(path: Path) -> pl.LazyFrame:
    """An Arrow file, or the stream that others keep in one: the latter is read whole."""
    with path.open("rb") as file:
        is_file = file.read(len(_FILE)) == _FILE
    return pl.scan_ipc(path, glob=False) if is_file else pl.read_ipc_stream(path).lazy()


def _judge_footer(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        end = file.read(8)
    footer = int.from_bytes(end[:4], "little")
    if end[4:] != _SIGN or footer > size - 12:
        raise refused("the end of the Parquet file is missing: it was cut off.")
    if footer > MOST_FOOTER:
        raise refused(f"the footer of the Parquet file takes {footer:,} bytes; {MOST_FOOTER:,} are allowed.")
