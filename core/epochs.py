"""How many epochs a job trains, and behind which they begin, by what its row says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def planned_epochs(spec: Mapping[str, Any]) -> int:
    """How many epochs a job with this spec trains at most, all folds or seeds together; one that predicts has one."""
    split = spec.get("split") or {}
    folds = 1 if split.get("fold") else split.get("folds") or 1
    return int(spec.get("epochs", 1)) * int(folds) * int(spec.get("seeds") or 1)


def first_epoch(parent: Mapping[str, Any] | None) -> int:
    """The epoch behind which the own epochs of a job with this `parent` begin; 0 for a job of its own."""
    return int((parent or {}).get("epoch") or 0)
