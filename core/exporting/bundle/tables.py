"""A table's cells as numbers, by what `model.json` says of each column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

MISSING = ("", "na", "n/a", "null", "nan", "?")
DAY_S = 86_400.0


def encoded(row: Mapping[str, Any], code: Mapping[str, Any]) -> list[float]:
    """What a column's cell becomes."""
    if code["name"] not in row and code["kind"] != "category" and not code.get("missing"):
        raise ValueError(f"The rows have no column {code['name']!r}, which the model was trained on.")
    cell = present(row.get(code["name"]))
    if code["kind"] == "category":
        return category(cell, code)
    number = code["mean"] if cell is None else READERS[code["kind"]](cell)
    if not math.isfinite(number):
        raise ValueError(f"Column {code['name']!r}: {cell!r} cannot be read as it was in training.")
    slots = circles(number) if code["kind"] == "date" else [number]
    return [*slots, float(cell is None)] if code["missing"] else slots


def category(cell: Any, code: Mapping[str, Any]) -> list[float]:
    """A 1 in the place of a word, or its code: 0 of an empty cell, 1 of a word that training did not know."""
    values = code["values"]
    place = values.index(word(cell)) if cell is not None and word(cell) in values else None
    if "codes" in code:
        return [float(cell is not None) if place is None else place + 2.0]
    return [float(slot == (code["slots"] - 1 if place is None else place)) for slot in range(code["slots"])]


def present(cell: Any) -> Any:
    """The cell, None where it is empty."""
    if isinstance(cell, str):
        return None if cell.strip().lower() in MISSING else cell.strip()
    return None if cell != cell else cell  # noqa: PLR0124  (NaN alone differs from itself)


def word(cell: Any) -> str:
    """A cell as it is written."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)


def truth(cell: Any) -> float:
    """True and false as 1 and 0."""
    told = {"true": 1.0, "false": 0.0}
    return told.get(cell.lower(), math.nan) if isinstance(cell, str) else float(cell)


def seconds(cell: Any) -> float:
    """Since 1970, in UTC, of a date in ISO 8601."""
    moment = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, datetime.min.time()) if isinstance(moment, date) else moment
    found: float = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return found


READERS: Mapping[str, Callable[[Any], float]] = {"number": float, "boolean": truth, "date": seconds}


def circles(moment: float) -> list[float]:
    """A date as the year with its fraction, and as places on the circles of the year, the week and the day."""
    year = datetime.fromtimestamp(round(moment, 6), UTC).year
    start, end = (datetime(one, 1, 1, tzinfo=UTC).timestamp() for one in (year, year + 1))
    of_year, days = (moment - start) / (end - start), math.floor(moment / DAY_S)
    turns = (of_year, (days + 3) % 7 / 7, moment / DAY_S - days)  # 1970 began on a Thursday
    return [year + of_year, *(side(2 * math.pi * turn) for turn in turns for side in (math.sin, math.cos))]
