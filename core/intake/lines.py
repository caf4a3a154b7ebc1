"""A JSONL file, one object per line: every line is read and judged by itself, then tallied column by column."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import polars as pl

from core.dataset import Column
from core.intake.columns import ColumnTally, few_of, told
from core.intake.header import judge_names
from core.intake.limits import Limits
from core.intake.places import Places, refused
from core.intake.records import BOM, LONGEST

_ROWS, _BYTES = 20_000, 16 << 20
"""Of one block: as many lines as come first."""
_TYPES: Mapping[type, tuple[str, type[pl.DataType]]] = {
    bool: ("a truth", pl.Boolean),
    int: ("a number", pl.Float64),
    float: ("a number", pl.Float64),
    str: ("a word", pl.String),
}

Row = dict[str, Any]


def inspect(path: Path, limits: Limits) -> tuple[int, tuple[Column, ...]]:
    """The rows and columns of a JSONL file. Raises DataRefused with places."""
    look = _Look(limits)
    with path.open("rb") as file:
        look.read(file)
    look.places.judge()
    return look.rows, told(look.tallies.values(), look.rows)


class _Look:
    """What was found up to some line."""

    def __init__(self, limits: Limits) -> None:
        self.places = Places()
        self.rows = 0
        self.tallies: dict[str, ColumnTally] = {}
        self._types: dict[str, tuple[str, type[pl.DataType]]] = {}
        self._limits = limits

    def read(self, file: IO[bytes]) -> None:
        """Read every line. Raises DataRefused for what makes the rest unreadable."""
        held: list[Row] = []
        size = 0
        line = 0
        while text := file.readline(LONGEST + 1):
            line += 1
            if len(text) > LONGEST:
                raise refused(f"the line has more than {LONGEST >> 20} MB.", line=line)
            if line == 1 and text.startswith(BOM):
                raise refused("the file begins with a byte order mark: save it as UTF-8 without one.", line=1)
            if not text.strip():
                continue
            held.append(self._row(text, row=self.rows + len(held) + 1, line=line))
            size += len(text)
            if len(held) == _ROWS or size > _BYTES:
                self._take(held)
                held, size = [], 0
        self._take(held)

    def _row(self, text: bytes, *, row: int, line: int) -> Row:
        """The line's values, without those that are noted as wrong."""
        try:
            found = json.loads(text.rstrip(), object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            self.places.add(f"the line is no JSON object: {_told(error)}.", row=row, line=line)
            return {}
        if not isinstance(found, dict):
            self.places.add("the line is JSON, but no object with named values.", row=row, line=line)
            return {}
        return {name: value for name, value in found.items() if self._fits(name, value, row=row, line=line)}

    def _fits(self, name: str, value: object, *, row: int, line: int) -> bool:
        """Whether the value is of its column's type; a column's first value says which that is."""
        if value is None:
            self._types.setdefault(name, ("", pl.Null))
            return True
        typed = _TYPES.get(type(value))
        if typed is None:
            wrong = f"there is a {'list' if isinstance(value, list) else 'object'}: a table has one value per cell."
        else:
            if self._types.get(name, typed)[1] is pl.Null:
                self._types[name] = typed
            first = self._types.setdefault(name, typed)
            wrong = _wrong(value, self._limits) or (
                "" if first == typed else f"there is {typed[0]} where others have {first[0]}."
            )
        if wrong:
            self.places.add(wrong, row=row, column=name, line=line)
        return not wrong

    def _take(self, rows: list[Row]) -> None:
        """Tally a block of rows."""
        if len(self._types) > len(self.tallies):
            judge_names(list(self._types), self._limits)
        for name, (_, dtype) in self._types.items():
            few = few_of(len(self._types))
            tally = self.tallies.setdefault(name, ColumnTally(name, "jsonl", few=few, missing=self.rows))
            numbers = np.arange(self.rows + 1, self.rows + 1 + len(rows))
            tally.take(pl.Series(name, [row.get(name) for row in rows], dtype=dtype, strict=False), numbers)
        self.rows += len(rows)
        if self.rows > self._limits.rows:
            raise refused(f"the table has more than {self._limits.rows:,} rows.")


def _wrong(value: object, limits: Limits) -> str:
    """What is wrong with a value of whatever type."""
    if (
        isinstance(value, str)
        and len(value) * 4 > limits.cell_bytes
        and len(value.encode(errors="replace")) > limits.cell_bytes
    ):
        return f"the cell has more than {limits.cell_bytes:,} bytes."
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "the word holds half a character (a lone surrogate)."
    if isinstance(value, int | float) and not _is_finite(value):
        return "the number is infinite, or too large."
    return ""


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _once(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a name stands in it twice")
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON, write null")


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "the text is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return "a number in it has thousands of digits" if "digits" in str(error) else str(error)
