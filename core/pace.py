"""How long an epoch takes: what its speed rests on, as a key, and what earlier runs with the same key took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.room import devices_of, nodes_of

_WITHOUT_WEIGHT = frozenset(
    {
        "name", "labels", "priority", "seed", "seeds", "init_from", "epochs", "lr", "scheduler", "early_stopping",
        "metrics", "checkpoints", "deadline_s", "stall_timeout_s", "on_out_of_memory", "resources", "optimizer",
        "split",
    }
)  # fmt: skip
"""Fields that leave an epoch as long as it is, and those of which only a part has weight; a new field has weight."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What earlier runs took, in seconds: medians over so many `epochs` of so many `jobs`.

    `epoch_s` is an epoch's training pass, `rest_s` what comes beside it in each epoch (evaluation, checkpoints), and
    `once_s` what a run takes before, behind and between all that, once.
    """

    epoch_s: float
    rest_s: float
    once_s: float
    epochs: int
    jobs: int


def pace_key(spec: Mapping[str, Any]) -> str:
    """32 hex digits that jobs share whose epochs take as long, on the same kind of device; `spec` as it is stored."""
    told = {name: value for name, value in spec.items() if name not in _WITHOUT_WEIGHT}
    told["threads"] = spec["resources"]["threads"]
    if (devices := devices_of(spec) * nodes_of(spec)) > 1:
        told["devices"] = devices
    told["split"] = {name: value for name, value in spec["split"].items() if name not in ("seed", "stratify", "fold")}
    # rates and decays are only multiplied by; counts and switches make more or other work
    told["optimizer"] = {
        name: value for name, value in spec["optimizer"].items() if not isinstance(value, float | list | tuple)
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
