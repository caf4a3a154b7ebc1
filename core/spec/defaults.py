"""The defaults of a spec that depend on its other fields, filled in before it is validated."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from core.registry import PartSettings, Registry, datasets, models, optimizers
from core.spec.fields import MAX_MONITOR, EarlyStopping, Split
from core.spec.outline import Outline

DERIVED = frozenset({"name", "loss", "lr", "metrics"})
"""The fields whose default cannot be told when what they depend on is broken."""

LOSS_FOR = {"numbers": "mse", "binary": "bce", "classes": "cross_entropy"}
METRICS_FOR = {"numbers": ["rmse"], "binary": ["accuracy"], "classes": ["accuracy"]}


def last_resort() -> Any:
    """Stands for a default that could not be derived: a spec for which that is so is refused anyway."""


def filled(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with every default that follows from its other fields, as far as these are sound."""
    given = dict(data)
    _fill_name(given)
    _fill_rate(given)
    validates = _validates(given)
    if (dataset := _chosen(datasets, given.get("dataset"))) is not None:
        task = Outline({"dataset": dataset}).task
        given.setdefault("loss", LOSS_FOR[task])
        given.setdefault("metrics", METRICS_FOR[task] if validates else [])
        _fill_within(given, "split", stratify=task != "numbers")
    usual = "val_loss" if validates else "train_loss"
    if isinstance(given.get("early_stopping"), dict):
        _fill_within(given, "early_stopping", monitor=usual)
    _fill_within(given, "checkpoints", monitor=_monitored(given.get("early_stopping")) or usual)
    return given


def _fill_name(given: dict[str, Any]) -> None:
    dataset, model = _chosen(datasets, given.get("dataset")), _chosen(models, given.get("model"))
    if dataset and model:
        given.setdefault("name", f"{dataset.name}-{model.name}")


def _fill_rate(given: dict[str, Any]) -> None:
    if optimizer := _chosen(optimizers, given.get("optimizer", "adam")):
        given.setdefault("lr", optimizers.get(optimizer.name).facts["lr"])


def _fill_within(given: dict[str, Any], section: str, **defaults: Any) -> None:
    inner = given.get(section, {})
    if isinstance(inner, dict):
        given[section] = {**defaults, **inner}


def _monitored(stopping: Any) -> str | None:
    """What early stopping watches; what is no name is refused later, once."""
    wanted = stopping.monitor if isinstance(stopping, EarlyStopping) else None
    if isinstance(stopping, dict):
        wanted = stopping["monitor"]
    return wanted if isinstance(wanted, str) and len(wanted) <= MAX_MONITOR else None


def _validates(given: dict[str, Any]) -> bool:
    """Whether a part of the samples validates; what is no number is refused later."""
    split = given.get("split", {})
    if isinstance(split, Split):
        return split.validation > 0
    wanted = split.get("validation", 0.2) if isinstance(split, dict) else 0.2
    return not isinstance(wanted, int | float) or wanted > 0


def _chosen(registry: Registry, value: Any) -> PartSettings | None:
    try:
        return registry.choose(value)
    except ValidationError:
        return None
