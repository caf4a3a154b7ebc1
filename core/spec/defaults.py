"""The defaults of a spec that depend on its other fields, filled in before it is validated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from core.data import DataShape, Task
from core.registry import PartSettings, Registry, datasets, models, optimizers
from core.spec import phases, texts
from core.spec.fields import MAX_MONITOR, EarlyStopping, Split
from core.spec.lookup import Lookup
from core.spec.outline import Outline
from core.spec.resolving import choose_dataset
from core.spec.streaming import can_stream, is_large

DERIVED = frozenset({"name", "loss", "lr", "metrics"})
"""The fields whose default cannot be told when what they depend on is broken."""

LOSS_FOR = {"numbers": "mse", "binary": "bce", "classes": "cross_entropy", "labels": "bce", "tokens": "cross_entropy"}
METRICS_FOR = {
    "numbers": ["rmse"],
    "binary": ["accuracy"],
    "classes": ["accuracy"],
    "labels": ["f1"],
    "tokens": ["bits_per_byte"],
}
RECONSTRUCTED = [{"name": "r2", "multioutput": "variance_weighted"}]
"""Of a sample that is its own target: the share of its variance that comes back, as a PCA tells it."""


def last_resort() -> Any:
    """Stands for a default that could not be derived: a spec for which that is so is refused anyway."""


def filled(data: dict[str, Any], lookup: Lookup | None = None) -> dict[str, Any]:
    """`data` with every default that follows from its other fields, as far as these are sound.

    A sound dataset is there as it was chosen, so that it is looked up once.
    """
    given = dict(data)
    dataset = _dataset(given.get("dataset"), lookup)
    _fill_name(given)
    _fill_from_phases(given)
    _fill_rate(given)
    validates = _holds_back(given, "validation", dataset=dataset)
    tests = _holds_back(given, "test", dataset=dataset)
    if dataset is not None:
        given["dataset"] = dataset
        model = given.get("model")
        shape = Outline({"dataset": dataset, "model": _chosen(models, model) or model}).told
        task = shape.task
        if task == "numbers" and not shape.reconstructs and datasets.get(dataset.name).facts.get("scales_target"):
            _fill_within(given, "preprocess", target="standard")
        facts = getattr(dataset, "facts", None)
        if facts is not None and facts.reads_text:
            _fill_within(given, "preprocess", **texts.defaults(facts.form))
        given.setdefault("loss", LOSS_FOR[task])
        given.setdefault("metrics", _metrics(shape) if validates or tests else [])
        _fill_split(given, task, facts.apart if facts else ())
        if lookup is not None and facts is not None and can_stream(facts):
            _fill_within(
                given,
                "loader",
                streaming=not facts.apart and is_large(shape, _memory(given)),
            )
    usual = "val_loss" if validates else "train_loss"
    if isinstance(given.get("early_stopping"), dict):
        _fill_within(given, "early_stopping", monitor=usual)
    _fill_within(given, "checkpoints", monitor=_monitored(given.get("early_stopping")) or usual)
    return given


def _metrics(shape: DataShape) -> list[Any]:
    return RECONSTRUCTED if shape.reconstructs else METRICS_FOR[shape.task]


def _fill_name(given: dict[str, Any]) -> None:
    dataset, model = _chosen(datasets, given.get("dataset")), _chosen(models, given.get("model"))
    if dataset and model:
        given.setdefault("name", f"{dataset.name}-{model.name}")


def _fill_rate(given: dict[str, Any]) -> None:
    if optimizer := _chosen(optimizers, given.get("optimizer", "adam")):
        given.setdefault("lr", phases.usual_rate(optimizer))


def _fill_from_phases(given: dict[str, Any]) -> None:
    if given.get("phases") is not None and (known := phases.sound(given["phases"])):
        given["phases"] = known
        for field, value in phases.followed(known).items():
            given.setdefault(field, value)


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


def _fill_split(given: dict[str, Any], task: Task, apart: Iterable[str]) -> None:
    """Where a column, folds or another file say what is held back, no share does; groups and times are no strata."""
    split = given.get("split", {})
    if isinstance(split, dict):
        ways = [way for way in ("column", "time", "group") if split.get(way) is not None]
        shares: dict[str, float | None] = dict.fromkeys(apart, 0.0)
        if "column" in ways:
            shares = {"validation": None, "test": None}
        if split.get("folds") is not None:
            shares["validation"] = None
        _fill_within(given, "split", stratify=task in ("binary", "classes") and not ways, **shares)


def _memory(given: dict[str, Any]) -> float | None:
    """The memory that was asked for; what is no number is refused later."""
    resources = given.get("resources")
    wanted = resources.get("memory_gb") if isinstance(resources, dict) else getattr(resources, "memory_gb", None)
    return wanted if isinstance(wanted, int | float) else None


def _holds_back(given: dict[str, Any], part: str, *, dataset: PartSettings | None) -> bool:
    """Whether samples are held back for this part; what is no number is refused later."""
    split, facts = given.get("split", {}), getattr(dataset, "facts", None)
    if facts is not None and part in facts.apart:
        return True
    if isinstance(split, Split):
        split = split.model_dump()
    if not isinstance(split, dict):
        return part == "validation"
    if split.get("column") is not None:
        return facts is None or facts.split_counts.get(part, 0) > 0
    if split.get("folds") is not None and part == "validation":
        return True
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
