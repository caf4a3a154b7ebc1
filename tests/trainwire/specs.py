"""Specs that the tests of this room submit."""

from __future__ import annotations

from typing import Any

QUICK: dict[str, Any] = {
    "name": "quick",
    "dataset": {"name": "moons", "samples": 200},
    "model": {"name": "mlp", "hidden": [8]},
    "epochs": 3,
}
LONG: dict[str, Any] = {
    "name": "long",
    "dataset": {"name": "moons", "samples": 20_000},
    "model": "mlp",
    "epochs": 3_000,
}
LASTING: dict[str, Any] = {
    "name": "lasting",
    "dataset": {"name": "moons", "samples": 2_000},
    "model": "mlp",
    "epochs": 40,
}
DIVERGES: dict[str, Any] = {"dataset": "diabetes", "model": "linear", "optimizer": "sgd", "lr": 1e6, "epochs": 50}
WRONG: dict[str, Any] = {"dataset": "digits", "model": "mpl", "lr": -1, "epoch": 3}
