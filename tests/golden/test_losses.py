"""Golden losses: what these jobs gave when they were recorded, they give after every refactoring of the loop.

When a change is meant to move them, `TRAINWIRE_TEST_RECORD=1 pytest tests/golden` writes `losses.json` anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.job import EpochRow

TrainRows = Callable[..., list[EpochRow]]
FILE = Path(__file__).with_name("losses.json")

DEEP = {"name": "mlp", "hidden": [32, 16], "activation": "gelu", "dropout": 0.2}
NORMED = {**DEEP, "batch_norm": True}
JOBS: dict[str, dict[str, Any]] = {
    "digits_sgd": {"dataset": "digits", "model": "mlp", "optimizer": {"name": "sgd", "momentum": 0.9}, "lr": 0.1},
    "digits_cnn": {"dataset": "digits", "model": {"name": "cnn", "channels": [8]}, "optimizer": "adam", "lr": 0.003},
    "wine_deep": {"dataset": "wine", "model": DEEP, "optimizer": "adamw", "lr": 0.01, "scheduler": "cosine"},
    # not with Adam: a bias before batch norm has no gradient but rounding, of which Adam makes whole steps
    "wine_normed": {"dataset": "wine", "model": NORMED, "optimizer": {"name": "sgd", "momentum": 0.9}, "lr": 0.05},
    "breast_cancer_bce": {"dataset": "breast_cancer", "model": "linear", "loss": "bce", "metrics": ["f1", "auroc"]},
    "moons_rmsprop": {
        "dataset": {"name": "moons", "samples": 500, "noise": 0.2},
        "model": {"name": "mlp", "hidden": [16], "activation": "tanh"},
        "loss": "cross_entropy",
        "optimizer": "rmsprop",
        "scheduler": {"name": "one_cycle"},
    },
    "diabetes_huber": {
        "dataset": "diabetes",
        "model": {"name": "mlp", "hidden": [16]},
        "loss": "huber",
        "preprocess": {"features": "minmax", "target": "standard"},
        "metrics": ["mae", "r2"],
        "clip_grad_norm": 1.0,
        "loader": {"drop_last": True},
        "seed": 3,
    },
}


@pytest.mark.parametrize("name", JOBS)
def test_the_job_gives_the_recorded_figures(train_rows: TrainRows, name: str) -> None:
    figures = [row.figures() for row in train_rows(**JOBS[name], epochs=5)]
    if os.environ.get("TRAINWIRE_TEST_RECORD"):
        record(name, figures)
    recorded = json.loads(FILE.read_text())[name]
    assert len(figures) == len(recorded) == 5
    for row, golden in zip(figures, recorded, strict=True):
        # another processor rounds otherwise; a step that differs is far beyond this
        assert row == pytest.approx(golden, rel=1e-4)


def record(name: str, figures: list[dict[str, float]]) -> None:
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps({**known, name: figures}, indent=1, sort_keys=True) + "\n")
