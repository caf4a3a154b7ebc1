"""The jobs of the chaos suite: a second or two of many short epochs, each with more state to lose than its weights."""

from __future__ import annotations

from typing import Any

CHECKPOINTS = {"every_s": 0.05}
"""So often that every kill finds one."""

Spec = dict[str, Any]

STEADY: Spec = {
    "name": "chaos-steady",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64], "dropout": 0.2},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.05,
    "epochs": 60,
    "scheduler": "cosine",
    "seed": 7,
    "checkpoints": CHECKPOINTS,
}
"""Draws from torch's generator in every step (dropout), and carries momentum and a schedule."""

STOPPING: Spec = {
    "name": "chaos-stopping",
    "dataset": {"name": "moons", "samples": 2_000, "noise": 0.25},
    "model": {"name": "mlp", "hidden": [32], "batch_norm": True},
    "optimizer": "adam",
    "lr": 0.01,
    "epochs": 80,
    "early_stopping": {"monitor": "val_loss", "patience": 15, "restore_best": True},
    "seed": 3,
    "checkpoints": {**CHECKPOINTS, "keep_best": 1},
}
"""Stops early and gives the best epoch's weights back: both must survive."""

LOADED: Spec = {
    "name": "chaos-loaded",
    "dataset": "breast_cancer",
    "model": {"name": "mlp", "hidden": [32], "dropout": 0.1},
    "optimizer": "adamw",
    "lr": 0.003,
    "epochs": 8,
    "scheduler": {"name": "one_cycle"},
    "loader": {"num_workers": 2},
    "seed": 11,
    "checkpoints": CHECKPOINTS,
}
"""Its batches come from two processes of its own."""

SMALL: Spec = {
    "name": "chaos-small",
    "dataset": "iris",
    "model": "linear",
    "epochs": 3,
    "seed": 1,
}
"""Gone in a moment: for experiments with the way to a worker, not with training."""

STREAMED: Spec = {
    "name": "chaos-streamed",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64], "dropout": 0.2},
    "lr": 0.002,
    "epochs": 200,
    "seed": 5,
    "checkpoints": CHECKPOINTS,
}
"""200 epochs for a stream to be cut in."""

LASTING: Spec = {**STREAMED, "name": "chaos-lasting", "epochs": 6_000, "checkpoints": {}}
"""Longer than an outage of a minute."""

HARMED = (STEADY, STOPPING, LOADED)
