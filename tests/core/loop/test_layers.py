"""A model that is a list of layers trains, goes on exactly where it was interrupted, and is loaded again."""

from __future__ import annotations

from typing import Any

import pytest
from safetensors.torch import load_file

from core.loop.assembly import make_model
from core.spec import parse_spec
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench, pieced

JOB: dict[str, Any] = {
    "dataset": "digits",
    "split": {"validation": 0.9},
    "model": {
        "name": "layers",
        "layers": [
            {"name": "conv2d", "out": 3, "kernel_size": 3, "padding": "same"},
            {"name": "residual", "layers": ["batch_norm", "relu", {"name": "dropout", "p": 0.3}]},
            {
                "name": "parallel",
                "branches": [["global_avg_pool"], [{"name": "max_pool2d", "kernel_size": 8}, "flatten"]],
            },
            "batch_norm",
            {"name": "linear", "out": "auto"},
        ],
    },
    "batch_size": 60,
    "epochs": 2,
}


def test_batch_norm_and_dropout_within_blocks_go_on_exactly(bench: Bench) -> None:
    whole = bench.attempt({**JOB, "checkpoints": {"every_s": 0}})
    assert len(whole.checkpoints) >= 4
    for kept in whole.checkpoints:
        again = bench.attempt({**JOB, "checkpoints": {"every_s": None}}, kept)
        assert pieced(whole, kept, again) == whole.bits


def test_the_file_of_weights_is_that_of_the_spec(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    weights = load_file(told.folder / "model.safetensors")
    assert {"layers.0.weight", "layers.1.layers.0.running_mean", "layers.4.bias"} <= weights.keys()
    make_model(parse_spec(JOB)).load_state_dict(weights)


@pytest.mark.parametrize(("dataset", "alike"), [("digits", True), ("iris", False)])
def test_pictures_are_scaled_as_a_whole_and_tables_by_column(dataset: str, *, alike: bool) -> None:
    stack = ["flatten", {"name": "linear", "out": "auto"}]
    assert parse_spec({"dataset": dataset, "model": {"name": "layers", "layers": stack}}).scales_pictures is alike
    assert not parse_spec({"dataset": dataset, "model": "mlp"}).scales_pictures
