"""A table that passed inspection, read again: in its types, or as the first rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from core.dataset import Format, Kind
from core.errors import DataRefused, InvalidData
from core.intake import plain, typed
from core.intake.limits import Limits
from core.intake.words import DATES, PLAIN, booleans, dates, numbers, present, word

_SHOWN = 1_000
"""Characters of a word among the first rows."""
_STORED: Mapping[Kind, type[pl.DataType]] = {"number": pl.Float64, "boolean": pl.Boolean}


def table(path: Path, format_: Format, columns: Mapping[str, Kind]) -> pl.DataFrame:
    """These columns, by their kinds; see `core.intake.read_table`."""
    try:
        cells = _scan(path, format_, columns).collect(engine="streaming")
        return pl.DataFrame([typed_cells(cells[name], kind, format_) for name, kind in columns.items()])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, DataRefused) as error:
        raise InvalidData(f"The dataset cannot be read as it was: {str(error).splitlines()[0]}") from error


def rows(path: Path, format_: Format, n: int, kinds: Mapping[str, Kind]) -> tuple[list[str], list[list[Any]]]:
    """The first `n` rows, by these kinds; see `core.intake.first_rows`."""
    cells = _scan(path, format_, kinds).head(n).collect(engine="streaming")
    found = pl.DataFrame([_shown(cells[name], kind, format_) for name, kind in kinds.items()])
    return list(kinds), [[_told(value) for value in row] for row in found.iter_rows()]


def _scan(path: Path, format_: Format, columns: Mapping[str, Kind]) -> pl.LazyFrame:
    """The columns as they lie in the file: words, or values of their types."""
    if format_ in PLAIN:
        return plain.scan(path, format_, Limits()).select(list(columns))
    if format_ in ("parquet", "arrow"):
        return typed.scan(path, arrow=format_ == "arrow").select(list(columns))
    schema = {name: _STORED.get(kind, pl.String) for name, kind in columns.items()}
    return pl.scan_ndjson(path, schema=schema)


def typed_cells(cells: pl.Series, kind: Kind, format_: Format, *, way: str | None = None) -> pl.Series:
    """The cells as values of their kind; words of dates in the `way` that `way_of` told, else in one that fits all."""
    if cells.dtype != pl.String:
        return cells.fill_nan(None) if cells.dtype == pl.Float64 else cells
    words = present(pl.lit(cells), format_)
    if kind == "date":
        written = pl.select(words).to_series()
        return pl.select(dates(way or way_of(written))(pl.lit(written))).to_series().alias(cells.name)
    read = {"number": numbers, "boolean": booleans}.get(kind, _same)
    return pl.select(read(words)).to_series().alias(cells.name)


def way_of(words: pl.Series) -> str:
    """The first way of writing dates that fits all the words, as the inspection read them; raises InvalidData."""
    for how in DATES:
        if pl.select(dates(how)(pl.lit(words))).to_series().null_count() == words.null_count():
            return how
    raise InvalidData(f"The dates of the column {words.name!r} are not written in one way.")


def _shown(cells: pl.Series, kind: Kind, format_: Format) -> pl.Series:
    """The cells of a few rows: dates as they are written in the file, for some of them may fit several ways."""
    return typed_cells(cells, "text" if kind == "date" else kind, format_)


def _told(value: object) -> object:
    """A value that JSON holds."""
    if isinstance(value, str):
        return value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
    return word(value) if isinstance(value, datetime) else value


def _same(cells: pl.Expr) -> pl.Expr:
    return cells
