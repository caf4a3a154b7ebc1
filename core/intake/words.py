"""How the words of a file become values: what is missing, what is a number, a boolean, a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from core.dataset import Format

MISSING = ("", "na", "n/a", "null", "nan", "?")
"""Words of a CSV or TSV that stand for an empty cell, in capitals or not."""
PLAIN: frozenset[Format] = frozenset({"csv", "tsv"})
"""The formats in which every value is a word."""
DATES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
)
"""How dates are written, in chrono's terms. The first that fits every cell counts: month before day where both fit."""
DATETIME = pl.Datetime("us")


def present(cells: pl.Expr, format_: Format) -> pl.Expr:
    """The words without spaces around them, null for what is missing.

    In typed formats, which have a null, only the empty word is missing beside it.
    """
    stripped = cells.str.strip_chars()
    missing = MISSING if format_ in PLAIN else ("",)
    return pl.when(stripped.str.to_lowercase().is_in(missing)).then(None).otherwise(stripped)


def numbers(words: pl.Expr) -> pl.Expr:
    """Float64, null for what is no number."""
    return words.cast(pl.Float64, strict=False)


def booleans(words: pl.Expr) -> pl.Expr:
    """Boolean by true and false in any case, null for other words."""
    return words.str.to_lowercase().replace_strict(
        {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
    )


def dates(how: str) -> Callable[[pl.Expr], pl.Expr]:
    """A reading of words as dates written like `how`: Datetime in microseconds, in UTC where a zone is told."""

    def read(words: pl.Expr) -> pl.Expr:
        if how.endswith("%#z"):
            return (
                words.str.to_datetime(how, strict=False, time_unit="us")
                .dt.convert_time_zone("UTC")
                .dt.replace_time_zone(None)
            )
        if "%H" in how:
            return words.str.to_datetime(how, strict=False, time_unit="us")
        return words.str.to_date(how, strict=False).cast(DATETIME)

    return read


def word(value: object) -> str:
    """A value as it stands among a profile's `counts` and `examples`: `3`, `0.5`, `true`, `2024-01-31`, or the word."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("T00:00:00")
    return str(value)
