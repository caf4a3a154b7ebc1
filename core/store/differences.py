"""Whether an epoch that was computed again came out as it did the first time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core import wire
from core.job import EpochRow


def difference(stored: EpochRow, computed: EpochRow) -> dict[str, Any] | None:
    """The notice that tells which figures differ; None when all are equal, bit for bit."""
    before, now = stored.figures(), computed.figures()
    names = [name for name in {**before, **now} if not _same(before.get(name), now.get(name))]
    if not names:
        return None
    message = f"Epoch {stored.epoch} was computed again with other figures ({', '.join(names)}); the first are kept."
    facts = {"epoch": stored.epoch, "stored": _pick(before, names), "computed": _pick(now, names)}
    return {"code": "epoch_differs", "message": message, **facts}


def _pick(figures: Mapping[str, float], names: Sequence[str]) -> dict[str, Any]:
    return wire.finite({name: figures.get(name) for name in names})


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))
