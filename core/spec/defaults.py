"""The defaults of a spec that depend on its other fields, filled in before it is validated."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from core.data import Task
from core.registry import PartSettings, Registry, datasets, models, optimizers
from core.spec.fields import MAX_MONITOR, EarlyStopping, Split
from core.spec.outline import Outline
from core.spec.resolving import Lookup, choose_dataset

DERIVED = frozenset({"name", "loss", "lr", "metrics"})
"""The fields whose default cannot be told when what they depend on is broken."""

LOSS_FOR = {"numbers": "mse", "binary": "bce", "classes": "cross_entropy"}
METRICS_FOR = {"numbers": ["rmse"], "binary": ["accuracy"], "classes": ["accuracy"]}


def last_resort() -> Any:
    """Stands for a default that could not be derived: a spec for which that is so is refused anyway."""


def filled(data: dict[str, Any], lookup: Lookup | None = None) -> dict[str, Any]:
    """`data` with every default that follows from its other fields, as far as these are sound.

    A sound dataset is there as it was chosen, so that it is looked up once.
    """
    given = dict(data)
    dataset = _dataset(given.get("dataset"), lookup)
    _fill_name(given)
    _fill_rate(given)
    validates = _holds_back(given, "validation", dataset=dataset)
    tests = _holds_back(given, "test", dataset=dataset)
    if dataset is not None:
        given["dataset"] = dataset
        task = Outline({"dataset": dataset}).task
        if task == "numbers" and datasets.get(dataset.name).facts.get("scales_target"):
            _fill_within(given, "preprocess", target="standard")
        given.setdefault("loss", LOSS_FOR[task])
        given.setdefault("metrics", METRICS_FOR[task] if validates or tests else [])
        _fill_split(given, task)
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


def _fill_split(given: dict[str, Any], task: Task) -> None:
    """Where a column says which rows validate and test, no share does; and only what is drawn can be stratified."""
    split = given.get("split", {})
    if isinstance(split, dict):
        by_column, by_time = (split.get(way) is not None for way in ("column", "time"))
        shares = {"validation": None, "test": None} if by_column else {}
        _fill_within(given, "split", stratify=task != "numbers" and not (by_column or by_time), **shares)


def _holds_back(given: dict[str, Any], part: str, *, dataset: PartSettings | None) -> bool:
    """Whether samples are held back for this part; what is no number is refused later."""
    split = given.get("split", {})
    if isinstance(split, Split):
        split = split.model_dump()
    if not isinstance(split, dict):
        return part == "validation"
    if split.get("column") is not None:
        facts = getattr(dataset, "facts", None)
        return facts is None or facts.split_counts.get(part, 0) > 0
    wanted = split.get(part, Split.model_fields[part].default)
    return not isinstance(wanted, int | float) or wanted > 0


def _dataset(value: Any, lookup: Lookup | None) -> PartSettings | None:
    try:
        return choose_dataset(value, lookup)
    except ValidationError:
        return None


def _chosen(registry: Registry, value: Any) -> PartSettings | None:
    try:
        return registry.choose(value)
    except ValidationError:
        return None
