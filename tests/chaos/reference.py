"""What a job must give: the same spec trained in this process, with nobody to disturb it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.events import EpochDone, Finished
from core.spec import parse_spec

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Reference:
    """The undisturbed result of a spec: every epoch's figures, why it ended, and the hash of its weights."""

    figures: Mapping[int, Mapping[str, float]]
    reason: str
    sha256: str


def reference(spec: Mapping[str, Any]) -> Reference:
    """The result that `spec` must have, computed once; its name, labels, workers and checkpoints change nothing."""
    same = {key: value for key, value in spec.items() if key not in {"name", "labels", "loader", "checkpoints"}}
    return _trained(json.dumps(same, sort_keys=True))


@cache
def _trained(spec: str) -> Reference:
    from core.loop import train  # not above: the light trainer takes its words from here, without torch

    figures: dict[int, Mapping[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for event in train(parse_spec(json.loads(spec)), folder=Path(folder)):
            if isinstance(event, EpochDone):
                figures[event.row.epoch] = event.row.figures()
            elif isinstance(event, Finished):
                weights = next(file for file in event.artifacts if file.name == WEIGHTS)
                return Reference(figures, event.reason, weights.sha256)
    raise AssertionError("it did not finish")
