"""How well the standard jobs must learn: real data, every seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.job import EpochRow

TrainRows = Callable[..., list[EpochRow]]
MOMENTUM = {"name": "sgd", "momentum": 0.9}

DIGITS: dict[str, Any] = {
    "dataset": "digits",
    "split": {"validation": 0.2, "seed": 0, "stratify": True},
    "preprocess": {"features": "minmax"},
    "model": {"name": "mlp", "hidden": [128]},
    "optimizer": MOMENTUM,
    "lr": 0.1,
    "batch_size": 32,
    "epochs": 40,
}
IRIS = {"dataset": "iris", "model": "linear", "optimizer": MOMENTUM, "lr": 0.1, "batch_size": 16, "epochs": 100}
TUMOURS = {"dataset": "breast_cancer", "model": "linear", "optimizer": MOMENTUM, "lr": 0.05, "epochs": 50}
MOONS: dict[str, Any] = {
    "dataset": {"name": "moons", "samples": 2000, "noise": 0.2},
    "model": {"name": "mlp", "hidden": [16, 16], "activation": "tanh"},
    "optimizer": "rmsprop",
    "lr": 0.003,
    "batch_size": 64,
    "epochs": 60,
}
DIABETES: dict[str, Any] = {
    "dataset": "diabetes",
    "split": {"validation": 0},
    "preprocess": {"features": "standard", "target": "standard"},
    "model": "linear",
    "optimizer": "sgd",
    "lr": 0.2,
    "batch_size": 442,
    "epochs": 2000,
}


def best_accuracy(rows: list[EpochRow]) -> float:
    return max(row.metrics["val_accuracy"] for row in rows)


@pytest.mark.parametrize("seed", range(10))
def test_an_mlp_reads_at_least_97_of_100_digits(train_rows: TrainRows, seed: int) -> None:
    assert best_accuracy(train_rows(**DIGITS, seed=seed)) >= 0.97


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("fields", "line"), [(IRIS, 0.93), (TUMOURS, 0.95), (MOONS, 0.94)], ids=["iris", "breast_cancer", "moons"]
)
def test_the_small_sets_are_learned(train_rows: TrainRows, fields: dict[str, Any], line: float, seed: int) -> None:
    assert best_accuracy(train_rows(**fields, seed=seed)) >= line


def test_gradient_descent_reaches_the_least_squares_optimum(train_rows: TrainRows) -> None:
    rows = train_rows(**DIABETES)
    assert abs(rows[-1].train_loss - 0.482252) < 1e-6
