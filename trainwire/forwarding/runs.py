"""What a job is as a run of MLflow: its spec as parameters, its epochs as metrics, its status in MLflow's words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from core.exporting.curves import scalars
from core.job import EventType, Status
from core.wire import exact
from trainwire.watching import Event

STATUS: Mapping[Status, str] = {
    Status.QUEUED: "SCHEDULED",
    Status.RUNNING: "RUNNING",
    Status.PAUSING: "RUNNING",
    Status.PAUSED: "SCHEDULED",
    Status.CANCELLING: "RUNNING",
    Status.SUCCEEDED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "KILLED",
}
ENDED = frozenset({"FINISHED", "FAILED", "KILLED"})
_LONGEST_PARAM = 5_000
_ALIEN = re.compile(r"[^\w\-. /:]", re.ASCII)
"""What no name of a parameter or metric may hold there."""
_TOLD_ELSEWHERE = ("name", "labels")


def params(spec: Mapping[str, Any], *, under: str = "") -> Iterator[tuple[str, str]]:
    """Each setting of a spec, by its path: `model.name`, `lr`; what the service filled in about files is left out."""
    for name, value in spec.items():
        path = f"{under}{name}"
        if path in _TOLD_ELSEWHERE or name == "facts":
            continue
        if isinstance(value, Mapping):
            yield from params(value, under=f"{path}.")
        else:
            yield _named(path), _word(value)


def metrics(event: Event) -> list[dict[str, Any]]:
    """What an event tells: the figures of an epoch at that step, those of the test part at the end."""
    if event.type is EventType.EPOCH:
        return [_metric(name, value, event, step=event.data["epoch"]) for name, value in scalars(exact(event.data))]
    if event.type is EventType.END:
        test = exact(event.data.get("test") or {})
        return [_metric(f"test_{name}", value, event, step=0) for name, value in scalars(test)]
    return []


def ms(at: datetime | None) -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return 0 if at is None else int(at.timestamp() * 1_000)


def _metric(name: str, value: float, event: Event, *, step: int) -> dict[str, Any]:
    return {"key": _named(name), "value": _number(value), "timestamp": ms(event.at), "step": step}


def _number(value: float) -> float | str:
    """A number that JSON holds, or the word that MLflow has for it."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _named(name: str) -> str:
    return _ALIEN.sub("_", name)[:250]


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_PARAM else f"{text[: _LONGEST_PARAM - 1]}…"
