"""How many epochs a job trains, behind which they begin, and how much of it is done, by what its row says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def planned_epochs(spec: Mapping[str, Any]) -> int:
    """How many epochs a job with this spec trains at most, all folds or seeds together; one that predicts has one."""
    split = spec.get("split") or {}
    folds = 1 if split.get("fold") else split.get("folds") or 1
    return int(spec.get("epochs", 1)) * int(folds) * int(spec.get("seeds") or 1)


def predicts(spec: Mapping[str, Any]) -> bool:
    """Whether a stored spec is that of a job that predicts, not of one that trains."""
    return "predict" in spec


def share_done(job: Mapping[str, Any]) -> float:
    """How much of a job, as the API tells it, is done: 0 to 1; one that stopped early is done."""
    if job["status"] == "succeeded":
        return 1.0
    progress, latest = job["progress"], job["latest"] or {}
    begun = 0.0
    if progress:
        begun = (progress["epoch"] - 1 + progress["step"] / max(1, progress["steps"])) / max(1, progress["epochs"])
    return min(1.0, max(begun, int(latest.get("epoch", 0)) / planned_epochs(job["spec"])))


def first_epoch(parent: Mapping[str, Any] | None) -> int:
    """The epoch behind which the own epochs of a job with this `parent` begin; 0 for a job of its own."""
    return int((parent or {}).get("epoch") or 0)
