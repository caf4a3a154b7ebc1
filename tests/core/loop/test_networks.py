"""The larger models train to a figure that shows it, and go on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.events import EpochDone
from core.loop import train
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import BLOBS, resumes_exactly
from tests.core.loop.test_series import sine
from tests.core.uploading import Shelf

SMALL: dict[str, Any] = {"optimizer": "adam", "split": {"validation": 0.2}}
LEARNED: list[tuple[str, Any, dict[str, Any], float]] = [
    ("digits", {"name": "resnet", "channels": [8, 16], "blocks": 1}, {"lr": 0.01, "epochs": 3}, 0.9),
    (
        "digits",
        {"name": "resnet", "channels": [8, 16], "blocks": 1, "batch_norm": False},
        {"lr": 0.01, "epochs": 3},
        0.8,
    ),
    ("digits", {"name": "resmlp", "d_block": 32, "d_hidden": 32}, {"lr": 0.01, "epochs": 3}, 0.9),
    ("wine", {"name": "resmlp", "d_block": 16, "d_hidden": 16}, {"lr": 0.01, "epochs": 12}, 0.9),
    (
        "wine",
        {"name": "ft_transformer", "n_blocks": 1, "d_block": 16, "attention_n_heads": 2, "ffn_d_hidden": 16},
        {"lr": 0.01, "epochs": 12},
        0.9,
    ),
    ("wine", {"name": "cnn1d", "channels": [8, 8]}, {"lr": 0.01, "epochs": 12}, 0.9),
    ("wine", {"name": "rnn", "hidden_size": 16}, {"lr": 0.02, "epochs": 12}, 0.85),
    ("iris", {"name": "rnn", "cell": "lstm", "hidden_size": 16}, {"lr": 0.03, "epochs": 12}, 0.85),
]


@pytest.mark.parametrize("case", LEARNED, ids=[f"{case[1]['name']}-{case[0]}-{n}" for n, case in enumerate(LEARNED)])
def test_a_network_learns_a_table_or_pictures_in_a_second(
    train_job: TrainJob, case: tuple[str, Any, dict[str, Any], float]
) -> None:
    dataset, model, fields, line = case
    told = train_job(dataset=dataset, model=model, **{**SMALL, **fields})
    assert told.rows[-1].metrics["val_accuracy"] >= line


@pytest.mark.parametrize(
    "model",
    [
        {"name": "rnn", "hidden_size": 4, "num_layers": 2, "dropout": 0.3},
        {"name": "rnn", "cell": "lstm", "hidden_size": 4, "bidirectional": True},
        {"name": "cnn1d", "channels": [4], "dropout": 0.3},
        {"name": "ft_transformer", "n_blocks": 1, "d_block": 4, "attention_n_heads": 2, "ffn_d_hidden": 4},
    ],
    ids=lambda model: model["name"],
)
def test_a_network_with_dropout_or_batch_norm_goes_on_exactly(bench: Bench, model: dict[str, Any]) -> None:
    fields = {"dataset": BLOBS, "model": model, "lr": 0.01, "batch_size": 25, "epochs": 2}
    resumes_exactly(bench, fields, stride=3)


def test_a_residual_network_of_pictures_goes_on_exactly(bench: Bench) -> None:
    model = {"name": "resnet", "channels": [2, 3], "blocks": 1}
    fields = {"dataset": "digits", "model": model, "lr": 0.01, "batch_size": 360, "epochs": 2}
    resumes_exactly(bench, fields, stride=3)


@pytest.mark.parametrize("model", [{"name": "cnn1d", "channels": [8, 8]}, {"name": "rnn", "hidden_size": 16}])
def test_windows_of_a_series_are_read_along_time(model: dict[str, Any], tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    series = {"time": "t", "window": 20, "horizon": 3}
    upload = shelf.put("sine.csv", sine())
    spec = shelf.spec(upload, {"target": "y", "series": series}, model=model, lr=0.01, epochs=8, metrics=["r2"])
    assert spec.data_shape.features == (1, 20)
    events = train(spec, folder=tmp_path / "model", datasets=tmp_path)
    rows = [event.row for event in events if isinstance(event, EpochDone)]
    assert rows[-1].metrics["val_r2"] > 0.8
