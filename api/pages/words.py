"""How pages say figures, durations, sizes and times: the filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from core.epochs import planned_epochs

_SIZES = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000


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
    if count is None:
        return ""
    unit = 0
    while count >= _STEP and unit < len(_SIZES) - 1:
        count, unit = count / _STEP, unit + 1
    return f"{count:.0f} {_SIZES[unit]}" if unit == 0 else f"{count:.1f} {_SIZES[unit]}"


def moment(at: str | None) -> str:
    """An RFC 3339 time to the second, as people read it."""
    return "" if at is None else f"{at[:10]} {at[11:19]}"


def words(text: str | None) -> str:
    """`early_stopped` is `early stopped`."""
    return "" if text is None else text.replace("_", " ")


def setting(value: Any) -> str:
    """A setting as JSON, but plain words without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def share(job: Mapping[str, Any]) -> float:
    """How much of a job is done, 0 to 1; one that stopped early is done."""
    if job["status"] == "succeeded":
        return 1.0
    progress, latest = job["progress"], job["latest"] or {}
    begun = 0.0
    if progress:
        begun = (progress["epoch"] - 1 + progress["step"] / max(1, progress["steps"])) / max(1, progress["epochs"])
    return min(1.0, max(begun, int(latest.get("epoch", 0)) / planned_epochs(job["spec"])))


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
    found.__name__: found
    for found in (figure, number, duration, size, moment, words, setting, pretty, share, planned_epochs)
}
TESTS: Mapping[str, Callable[..., bool]] = {"metric": metric, "scalar": scalar}
