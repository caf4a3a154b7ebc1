"""Rows of a table as people give them to a trained model: words or Python's own values, by the name of the column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from core.intake.words import MISSING, word
from core.loading.categories import Category, Coded
from core.loading.codes import Code, Moment, Quantity
from core.loading.encoding import Encoder
from core.loading.table import Cells, Words

Rows = Sequence[Mapping[str, Any]]

_BOOLEANS = {"true": 1.0, "false": 0.0}


def columns(rows: Rows, encoder: Encoder) -> dict[str, Cells]:
    """The columns that the encoder reads, cell by cell as they are read from a file.

    Raises ValueError for a column that no row has, and for a cell that cannot be read.
    """
    return {code.name: _column(rows, code) for code in encoder.codes}


def _column(rows: Rows, code: Code) -> Cells:
    if rows and not any(code.name in row for row in rows):
        raise ValueError(f"The rows have no column {code.name!r}, which the model was trained on.")
    cells = [present(row.get(code.name)) for row in rows]
    if isinstance(code, Category | Coded):
        return _words([None if cell is None else word(cell) for cell in cells])
    read = reader(code)
    return np.array([_read(read, cell, place, code.name) for place, cell in enumerate(cells, 1)], np.float64)


def present(cell: Any) -> Any:
    """The cell without numpy around it, None where it is empty."""
    plain = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(plain, str):
        plain = plain.strip()
        return None if plain.lower() in MISSING else plain
    return None if plain != plain else plain  # noqa: PLR0124  (NaN and NaT alone differ from themselves)


def _words(cells: Sequence[str | None]) -> Words:
    names = tuple(sorted({cell for cell in cells if cell is not None}))
    codes = {name: code for code, name in enumerate(names)}
    return Words(np.array([-1 if cell is None else codes[cell] for cell in cells], np.int32), names)


def reader(code: Code) -> Callable[[Any], float]:
    """What makes a number of a cell that is not empty; of one that is none it raises, or gives an infinite one."""
    if isinstance(code, Moment):
        return _seconds
    return _truth if isinstance(code, Quantity) and code.kind == "boolean" else float


def number_in(read: Callable[[Any], float], cell: Any) -> float:
    """The cell as a number, NaN where it is empty, infinite where it is none."""
    if cell is None:
        return math.nan
    try:
        number = read(cell)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return number if math.isfinite(number) else math.inf


def _read(read: Callable[[Any], float], cell: Any, row: int, column: str) -> float:
    number = number_in(read, cell)
    if math.isinf(number):
        raise ValueError(f"Row {row}, column {column!r}: {cell!r} cannot be read as it was in training.")
    return number


def _truth(cell: Any) -> float:
    if isinstance(cell, str):
        return _BOOLEANS.get(cell.lower(), math.inf)
    return float(cell) if cell in (0, 1) else math.inf


def _seconds(cell: Any) -> float:
    """Since 1970, in UTC, which also holds where no zone is told. Text is ISO 8601."""
    moment = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
    if not isinstance(moment, datetime):
        if not isinstance(moment, date):
            raise TypeError
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
