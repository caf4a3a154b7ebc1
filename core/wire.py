"""JSON as Trainwire speaks it: RFC 3339 times, and non-finite numbers as null with a name beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def rfc3339(at: datetime) -> str:
    """`2026-11-23T04:05:06.789012Z`: UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    """`figures` with each NaN or infinity as null, named under `nonfinite` (JSON has neither)."""
    odd = {key: _word(value) for key, value in figures.items() if isinstance(value, float) and not math.isfinite(value)}
    if not odd:
        return dict(figures)
    return {**{key: None if key in odd else value for key, value in figures.items()}, "nonfinite": odd}


def exact(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `finite`: the numbers as they were stored."""
    odd = figures.get("nonfinite", {})
    return {key: float(odd[key]) if key in odd else value for key, value in figures.items() if key != "nonfinite"}


def dumps(value: Any) -> str:
    """Compact JSON text; a non-finite number is a bug here and raises ValueError."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _word(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
