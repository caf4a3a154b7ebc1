"""How pages say figures, durations, sizes and times: the filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from core import sentences
from core.epochs import planned_epochs, share_done


def figure(row: Mapping[str, Any] | None, name: str) -> str:
    """A row's figure with five digits, `nan` or `inf` where it is none, nothing where it has none."""
    if not row:
        return ""
    return str(odd) if (odd := row.get("nonfinite", {}).get(name)) else number(row.get(name))


def number(value: Any) -> str:
    """Five digits of a number; whole ones in full."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


def duration(seconds: float | None) -> str:
    """`0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {left} s"


def size(count: float | None) -> str:
    """`305 B`, `38.4 kB`, `1.2 GB`."""
    return "" if count is None else sentences.size(round(count))


def moment(at: str | None) -> str:
    """An RFC 3339 time to the second, as people read it."""
    return "" if at is None else f"{at[:10]} {at[11:19]}"


def words(text: str | None) -> str:
    """`early_stopped` is `early stopped`."""
    return "" if text is None else text.replace("_", " ")


def setting(value: Any) -> str:
    """A setting as JSON, but plain words without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pretty(value: Any) -> str:
    """JSON with indents."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def metric(name: str) -> bool:
    """Whether a row's figure is one of the metrics."""
    return name.startswith("val_") and name != "val_loss"


def scalar(value: Any) -> bool:
    """Whether a value is shown in one cell."""
    return not isinstance(value, (dict, list))


FILTERS: Mapping[str, Callable[..., Any]] = {
    found.__name__: found for found in (figure, number, duration, size, moment, words, setting, pretty, planned_epochs)
} | {"share": share_done}
TESTS: Mapping[str, Callable[..., bool]] = {"metric": metric, "scalar": scalar}
