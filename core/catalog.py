"""The catalogue: every known part with its sentence, its settings as JSON Schema and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import core.parts  # noqa: F401  (registers the parts)
from core.data import DataShape
from core.extras import is_here
from core.registry import (
    Part,
    augmentations,
    datasets,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    schedulers,
    tokenizers,
)

SECTIONS = {
    "datasets": datasets,
    "models": models,
    "layers": layers,
    "losses": losses,
    "optimizers": optimizers,
    "schedulers": schedulers,
    "metrics": metrics,
    "augmentations": augmentations,
    "tokenizers": tokenizers,
}


def catalog() -> dict[str, list[dict[str, Any]]]:
    """All parts by kind, ready for JSON."""
    return {
        section: [_entry(registry.get(name)) for name in registry.names()] for section, registry in SECTIONS.items()
    }


def _entry(part: Part) -> dict[str, Any]:
    told = {"name": part.name, "summary": part.summary, "schema": part.settings.model_json_schema()}
    return {**told, **_public(part.facts), **_presence(part), **_shape(part)}


def _public(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that are plain values; functions are the service's own."""
    plain = {name: fact for name, fact in facts.items() if isinstance(fact, bool | int | float | str | tuple)}
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in plain.items()}


def _presence(part: Part) -> dict[str, bool]:
    """Of a part that needs a package of its own, whether that is installed."""
    package = part.facts.get("package")
    return {} if package is None else {"installed": is_here(package)}


def _shape(part: Part) -> dict[str, Any]:
    """What a dataset holds, with its settings as they stand; nothing for one that cannot be named alone."""
    shape = part.facts.get("shape")
    if any(setting.is_required() for key, setting in part.settings.model_fields.items() if key != "name"):
        return {}
    if callable(shape):
        shape = shape(**part.settings(name=part.name).settings())
    if not isinstance(shape, DataShape):
        return {}
    return {
        "task": shape.task,
        "samples": shape.samples,
        "features": list(shape.features),
        "classes": shape.classes,
        "outputs": shape.outputs,
    }
