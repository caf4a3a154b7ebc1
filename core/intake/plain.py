"""A CSV or TSV, told block by block: checked first, then parsed by polars, then tallied column by column."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.dataset import Column, Format
from core.intake.columns import ColumnTally, few_of, told
from core.intake.header import header, separator_of
from core.intake.limits import Limits
from core.intake.places import Places, refused
from core.intake.records import Block, blocks, check


def inspect(path: Path, format_: Format, limits: Limits) -> tuple[int, tuple[Column, ...]]:
    """The rows and columns of a CSV or TSV. Raises DataRefused with places."""
    separator, names = read_header(path, format_, limits)
    places = Places()
    tallies = [ColumnTally(name, format_, few=few_of(len(names))) for name in names]
    rows = 0
    with path.open("rb") as file:
        for block in blocks(file, ord(separator)):
            check(block, names=names, limits=limits, places=places)
            if not places.empty:
                continue
            frame, numbers = _rows(block, names, separator)
            for tally, cells in zip(tallies, frame.iter_columns(), strict=True):
                tally.take(cells, numbers)
            rows += frame.height
            if rows > limits.rows:
                raise refused(f"the table has more than {limits.rows:,} rows.")
    places.judge()
    return rows, told(tallies, rows)


def read_header(path: Path, format_: Format, limits: Limits) -> tuple[str, list[str]]:
    """What parts the cells of a CSV or TSV, and the names of its columns. Raises DataRefused."""
    with path.open("rb") as file:
        separator = separator_of(file.readline(1 << 20), format_)
        file.seek(0)
        first = next(blocks(file, ord(separator)))
    return separator, header(first.data[: int(first.ends[0])], separator, limits)


def scan(path: Path, format_: Format, limits: Limits) -> pl.LazyFrame:
    """The words of a CSV or TSV that passed inspection, without the rows in which every cell is empty."""
    separator, names = read_header(path, format_, limits)
    table = pl.scan_csv(path, skip_lines=1, glob=False, **_as_words(names, separator))
    return table.filter(_some_cell())


def _rows(
    block: Block, names: list[str], separator: str
) -> tuple[pl.DataFrame, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The block's cells as words, and the number of each row in the file."""
    header_ends = int(block.ends[0]) + 1 if block.first_row == 0 else 0
    data = block.data[header_ends:]
    first = block.first_row + bool(header_ends)
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String)), np.empty(0, np.int64)
    frame = pl.read_csv(io.BytesIO(data), **_as_words(names, separator))
    if frame.height != len(block.ends) - bool(header_ends):
        raise refused(f"the rows from {first:,} on are not written as CSV.", row=first)
    held = frame.select(_some_cell()).to_series()
    return frame.filter(held), np.arange(first, first + frame.height)[held.to_numpy()]


def _as_words(names: list[str], separator: str) -> dict[str, Any]:
    """How polars is to read lines without the header: words only, and nothing in an empty line."""
    return {
        "has_header": False,
        "separator": separator,
        "schema": dict.fromkeys(names, pl.String),
        "infer_schema": False,
        "missing_columns": "insert",
    }


def _some_cell() -> pl.Expr:
    """Whether a row has any cell that is not empty."""
    return pl.any_horizontal(pl.all().is_not_null())
