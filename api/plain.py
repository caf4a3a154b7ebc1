"""A job's log as plain text, a line an epoch with its losses drawn on a strip: what `curl -N` draws as it arrives."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from api.watching import Told
from core.epochs import planned_epochs
from core.job import EventType, Job
from core.sentences import end_lines, event_line, number, plain, round_text

STRIP = 32
"""Letters across: with the figures before it a line fits on 80 columns."""
DECADES = 3
"""How far below the greatest of the first losses the strip begins, in equal ratios: losses fall by powers."""
MARKS = {"train_loss": "·", "val_loss": "●"}
_NUMBER = len("1.234e-05")


class Drawing:
    """Turns events into lines; the strip's scale is that of the first losses, so below one another they are curves."""

    def __init__(self, job: Job) -> None:
        self._epochs = planned_epochs(job.spec)
        self._greatest: float | None = None

    def lines(self, told: Told) -> str:
        """What an event is worth in lines of text, each with its end; nothing for most checkpoints."""
        data: dict[str, Any] = json.loads(told.json)["data"]
        match told.type:
            case EventType.EPOCH:
                found = [*self._scale(data), self._epoch(data)]
            case EventType.END:
                found = end_lines(data)
            case _:
                found = [line] if (line := event_line(told.type, data)) else []
        return "".join(f"{plain(line)}\n" for line in found)

    def _epoch(self, row: Mapping[str, Any]) -> str:
        shown = {**row, **(row.get("nonfinite") or {})}
        losses = [f"{_short(name)} {number(shown[name]):<{_NUMBER}}" for name in MARKS if shown.get(name) is not None]
        count = f"{row['epoch']:>{len(str(self._epochs))}}/{self._epochs}"
        return "  ".join(filter(None, [f"epoch {count}", round_text(row), *losses, self._strip(row)])).rstrip()

    def _scale(self, row: Mapping[str, Any]) -> list[str]:
        """Before the first strip, what it means."""
        known = [(name, row[name]) for name in MARKS if (row.get(name) or 0) > 0]
        if self._greatest is not None or not known:
            return []
        self._greatest = max(value for _, value in known)
        marks = " and ".join(f"{MARKS[name]} {_short(name)}" for name, _ in known)
        return [f"{marks}: {number(self._greatest / 10**DECADES)} to {number(self._greatest)}, in equal ratios"]

    def _strip(self, row: Mapping[str, Any]) -> str:
        letters = [" "] * STRIP
        for name, mark in MARKS.items():
            value = row.get(name)
            if value is not None and self._greatest is not None:
                letters[self._place(value)] = mark
        return f"│{''.join(letters)}│"

    def _place(self, loss: float) -> int:
        """Where a loss lies; at the edge where it is beyond."""
        if loss <= 0 or self._greatest is None:
            return 0
        share = 1 + math.log10(loss / self._greatest) / DECADES
        return round(min(1.0, max(0.0, share)) * (STRIP - 1))


def _short(name: str) -> str:
    return name.removesuffix("_loss")
