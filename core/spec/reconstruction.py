"""Models that reconstruct what they are given: their target is the sample itself, so the data needs none of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.checks import Finding, shown
from core.data import DataShape
from core.registry import models

OF_TARGETS: Mapping[str, Any] = {
    "target": None,
    "target_separator": None,
    "task": "auto",
    "drop_missing_target": False,
    "series": None,
}
"""The settings of an upload that are about what to predict, and what they are when not given."""


def reconstructs(model: object) -> bool:
    """Whether a model, as it came in a spec or as it was chosen, has its own input as the target."""
    name = model.get("name") if isinstance(model, Mapping) else getattr(model, "name", model)
    known = isinstance(name, str) and name in models.names()
    return known and bool(models.get(str(name)).facts.get("reconstructs"))


def as_itself(shape: DataShape) -> DataShape:
    """The data with each sample as its own target, whatever target it came with."""
    return replace(shape, classes=None, outputs=math.prod(shape.features), multilabel=False, reconstructs=True)


def findings(wanted: Mapping[str, Any]) -> Iterator[Finding]:
    """The settings of an upload that are about a target, of which there is none."""
    for setting, usual in OF_TARGETS.items():
        if wanted[setting] != usual:
            remedy = "name it in exclude to keep it out" if setting == "target" else "leave it out"
            told = f"{shown(setting)} is about what to predict, and this model reconstructs its own input: {remedy}."
            yield Finding((setting,), wanted[setting], told, [usual])
