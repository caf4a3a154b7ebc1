"""A spec fills in every default, goes through JSON unchanged and is cheap to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.data import DataShape, ModelShape
from core.registry import PartSettings, optimizers
from core.spec import JobSpec, parse_spec

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("[0-9]*.json"))

DESIGN: dict[str, Any] = {
    "name": "digits-mlp",
    "dataset": {"name": "digits"},
    "split": {"validation": 0.2, "seed": 0, "stratify": True},
    "preprocess": {"features": "standard", "target": "none"},
    "model": {"name": "mlp", "hidden": [128], "activation": "relu"},
    "loss": "cross_entropy",
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "batch_size": 32,
    "epochs": 40,
    "scheduler": {"name": "cosine"},
    "early_stopping": {"monitor": "val_loss", "patience": 5, "min_delta": 0.0001},
    "metrics": ["accuracy"],
    "loader": {"shuffle": True, "num_workers": 0, "drop_last": False, "pin_memory": "auto"},
    "clip_grad_norm": None,
    "seed": 0,
    "priority": 0,
    "resources": {"device": "auto", "threads": 1, "queue": None},
    "labels": {"team": "a"},
}
NEWER = {"checkpoints", "deadline_s", "stall_timeout_s", "on_out_of_memory", "micro_batch_size", "clip_grad_value"}
NEWER |= {"seeds", "phases", "sharpness", "init_from"}
NEWER |= {"precision", "ema", "param_groups", "freeze", "compile"}
MULTISTEP = {"name": "multistep", "milestones": [3, 5]}
VARIED: list[dict[str, Any]] = [
    DESIGN,
    {"dataset": "iris", "model": "linear"},
    {"dataset": "diabetes", "model": "linear", "split": {"validation": 0}, "early_stopping": {}},
    {"dataset": {"name": "moons", "noise": 0}, "model": "mlp", "loss": "bce", "metrics": ["f1", {"name": "auroc"}]},
    {"dataset": "digits", "model": {"name": "cnn", "channels": [4]}, "scheduler": MULTISTEP, "clip_grad_norm": 1},
    {"dataset": "linear", "model": "mlp", "optimizer": "adamw", "loss": {"name": "huber", "delta": 2}, "labels": {}},
]


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    return parse_spec(data).model_dump(mode="json")


def test_the_spec_of_the_design_is_taken_as_it_stands() -> None:
    stored = _filled(DESIGN)
    for field, value in DESIGN.items():
        if isinstance(value, dict):
            assert value.items() <= stored[field].items()
        elif field not in {"loss", "metrics"}:
            assert stored[field] == value
    assert stored["loss"] == {"name": "cross_entropy", "label_smoothing": 0.0, "class_weight": None}
    assert stored["metrics"] == [{"name": "accuracy"}]


def test_only_dataset_and_model_are_needed_and_all_the_rest_is_filled_in() -> None:
    assert _filled({"dataset": "digits", "model": "mlp"}) == {
        "name": "digits-mlp",
        "dataset": {"name": "digits"},
        "split": {
            "validation": 0.2,
            "test": 0.0,
            "seed": 0,
            "stratify": True,
            "time": None,
            "column": None,
            "group": None,
            "folds": None,
            "fold": None,
        },
        "preprocess": {
            "features": "standard",
            "target": "none",
            "text": None,
            "max_length": None,
            "block_size": None,
        },
        "augment": [],
        "model": {
            "name": "mlp",
            "hidden": [128],
            "activation": "relu",
            "dropout": 0.0,
            "batch_norm": False,
            "embeddings": None,
        },
        "init_from": None,
        "loss": {"name": "cross_entropy", "label_smoothing": 0.0, "class_weight": None},
        "optimizer": {
            "name": "adam",
            "betas": [0.9, 0.999],
            "eps": 1e-8,
            "weight_decay": 0.0,
            "amsgrad": False,
            "fused": True,
        },
        "lr": 0.001,
        "batch_size": 32,
        "micro_batch_size": None,
        "epochs": 10,
        "scheduler": {"name": "constant", "warmup_epochs": 0},
        "phases": None,
        "early_stopping": None,
        "sharpness": None,
        "metrics": [{"name": "accuracy"}],
        "loader": {
            "shuffle": True,
            "num_workers": 0,
            "drop_last": False,
            "pin_memory": "auto",
            "streaming": False,
        },
        "precision": "fp32",
        "clip_grad_value": None,
        "clip_grad_norm": None,
        "ema": None,
        "param_groups": [],
        "freeze": [],
        "compile": False,
        "seed": 0,
        "seeds": 1,
        "checkpoints": {
            "every_s": 15.0,
            "every_epochs": None,
            "keep_last": 2,
            "keep_best": 0,
            "monitor": "val_loss",
        },
        "deadline_s": None,
        "stall_timeout_s": 900.0,
        "on_out_of_memory": "fail",
        "priority": 0,
        "resources": {
            "device": "auto",
            "devices": 1,
            "nodes": 1,
            "sharding": "ddp",
            "threads": 1,
            "queue": None,
            "memory_gb": None,
        },
        "labels": {},
    }


@pytest.mark.parametrize(
    ("dataset", "loss", "metrics", "stratify"),
    [
        ("digits", "cross_entropy", ["accuracy"], True),
        ("breast_cancer", "bce", ["accuracy"], True),
        ("diabetes", "mse", ["rmse"], False),
    ],
)
def test_loss_metrics_and_split_follow_from_the_target(
    dataset: str, loss: str, metrics: list[str], stratify: bool
) -> None:
    stored = _filled({"dataset": dataset, "model": "linear"})
    assert stored["loss"]["name"] == loss
    assert [metric["name"] for metric in stored["metrics"]] == metrics
    assert stored["split"]["stratify"] is stratify


@pytest.mark.parametrize("name", [name for name in optimizers.names() if name != "pytorch_optimizer"])
def test_the_rate_is_torch_s_own_for_the_optimizer(name: str) -> None:
    stored = _filled({"dataset": "iris", "model": "linear", "optimizer": name, "batch_size": 150})
    others = {**dict.fromkeys(["adadelta", "lbfgs"], 1), **dict.fromkeys(["nadam", "adamax"], 0.002)}
    others |= dict.fromkeys(["rmsprop", "adagrad", "asgd", "rprop", "adafactor"], 0.01)
    assert stored["lr"] == others.get(name, 1e-3)


def test_early_stopping_watches_the_validation_cost_and_restores_the_best() -> None:
    stored = _filled({"dataset": "iris", "model": "linear", "early_stopping": {}})
    assert stored["early_stopping"] == {
        "monitor": "val_loss",
        "patience": 5,
        "min_delta": 0.0,
        "restore_best": True,
    }


def test_without_a_validation_part_training_is_watched_and_nothing_else_measured() -> None:
    stored = _filled({"dataset": "iris", "model": "linear", "split": {"validation": 0}, "early_stopping": {}})
    assert stored["early_stopping"]["monitor"] == "train_loss"
    assert stored["metrics"] == []


@pytest.mark.parametrize(
    ("spec", "monitor"),
    [
        ({}, "val_loss"),
        ({"split": {"validation": 0}}, "train_loss"),
        ({"early_stopping": {"monitor": "val_accuracy"}}, "val_accuracy"),
        ({"early_stopping": {}, "checkpoints": {"keep_best": 1}}, "val_loss"),
        ({"early_stopping": {}, "checkpoints": {"monitor": "train_loss"}}, "train_loss"),
    ],
)
def test_the_best_checkpoints_are_told_by_what_early_stopping_watches(spec: dict[str, Any], monitor: str) -> None:
    stored = _filled({"dataset": "iris", "model": "linear", **spec})
    assert stored["checkpoints"]["monitor"] == monitor


def test_a_spec_stored_before_there_were_checkpoints_is_still_good() -> None:
    stored = _filled(DESIGN)
    old = {key: value for key, value in stored.items() if key not in NEWER}
    old["resources"] = {key: value for key, value in stored["resources"].items() if key != "memory_gb"}
    assert _filled(old) == stored


@pytest.mark.parametrize("data", VARIED)
def test_a_stored_spec_reads_back_equal(data: dict[str, Any]) -> None:
    spec = parse_spec(data)
    stored = json.loads(json.dumps(spec.model_dump(mode="json"), allow_nan=False))
    assert JobSpec.model_validate(stored) == spec
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    assert JobSpec.model_validate(spec) is spec
    assert JobSpec(**stored) == spec
    assert JobSpec.model_validate(stored).model_dump(mode="json") == stored


def test_what_was_sent_is_left_as_it_was() -> None:
    sent: dict[str, Any] = {"dataset": "diabetes", "model": "linear", "split": {}, "early_stopping": {}}
    before = json.dumps(sent)
    parse_spec(sent)
    assert json.dumps(sent) == before


def test_a_spec_is_frozen() -> None:
    spec = parse_spec(DESIGN)
    with pytest.raises(ValidationError, match="frozen"):
        spec.lr = 1.0
    with pytest.raises(ValidationError, match="frozen"):
        spec.split.seed = 1


def test_an_integer_is_fine_where_a_number_is_wanted() -> None:
    spec = parse_spec({"dataset": "iris", "model": "linear", "lr": 1})
    assert (spec.lr, type(spec.lr)) == (1.0, float)


def test_the_smallest_share_holds_a_sample_back() -> None:
    spec = parse_spec({"dataset": "random", "model": "linear", "split": {"validation": 1e-12}})
    assert (spec.train_samples, spec.val_samples) == (99, 1)


def test_a_spec_tells_its_sizes_without_building_anything() -> None:
    spec = parse_spec(DESIGN)
    assert spec.data_shape == DataShape(samples=1797, features=(1, 8, 8), classes=10)
    assert spec.model_shape == ModelShape(features=(1, 8, 8), outputs=10)
    assert (spec.train_samples, spec.val_samples) == (1437, 360)
    assert spec.steps_per_epoch == 45
    assert spec.cost is not None
    assert spec.cost.parameters == 65 * 128 + 129 * 10


@pytest.mark.parametrize(
    ("dataset", "loss", "outputs"),
    [
        ("breast_cancer", "bce", 1),
        ("breast_cancer", "cross_entropy", 2),
        ("iris", "cross_entropy", 3),
        ("diabetes", "mse", 1),
    ],
)
def test_the_loss_decides_how_wide_the_prediction_is(dataset: str, loss: str, outputs: int) -> None:
    assert parse_spec({"dataset": dataset, "model": "linear", "loss": loss}).model_shape.outputs == outputs


@pytest.mark.parametrize(("drop_last", "steps"), [(False, 45), (True, 44)])
def test_drop_last_leaves_the_broken_batch_out(drop_last: bool, steps: int) -> None:
    spec = parse_spec({"dataset": "digits", "model": "mlp", "loader": {"drop_last": drop_last}})
    assert spec.steps_per_epoch == steps


def test_parts_are_settings_objects_by_name() -> None:
    spec = parse_spec(DESIGN)
    assert isinstance(spec.model, PartSettings)
    assert spec.model.settings() == {
        "hidden": (128,),
        "activation": "relu",
        "dropout": 0.0,
        "batch_norm": False,
        "embeddings": None,
    }


def test_the_schema_tells_parts_apart_by_name() -> None:
    schema = JobSpec.model_json_schema()
    assert schema["required"] == ["dataset", "model"]
    names, objects = schema["properties"]["model"]["anyOf"]
    residual, others = ["resnet", "resmlp"], ["cnn1d", "rnn", "ft_transformer"]
    transformers = ["text_transformer", "causal_transformer", "vision_transformer"]
    assert names["enum"] == [
        "linear",
        "mlp",
        "cnn",
        "autoencoder",
        "layers",
        "embedding_bag",
        "gpt",
        *residual,
        *others,
        *transformers,
        "timm",
        "torchvision",
    ]
    assert objects["discriminator"]["propertyName"] == "name"
    stored = JobSpec.model_json_schema(mode="serialization")
    assert "oneOf" in stored["properties"]["model"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_a_good_spec(path: Path) -> None:
    spec = parse_spec(json.loads(path.read_text()))
    assert parse_spec(spec.model_dump(mode="json")) == spec


COLD = """
import sys, time
start = time.process_time()  # a busy machine is slow by the clock on the wall
import core.spec, core.catalog
seconds = time.process_time() - start
core.catalog.catalog()
core.spec.JobSpec.model_json_schema()
for model in ("linear", "mlp", "cnn"):
    core.spec.parse_spec({"dataset": "digits", "model": model})
try:
    core.spec.parse_spec({"dataset": "digit", "model": "mpl", "lr": -1})
except core.errors.SpecRefused:
    pass
heavy = sorted({"torch", "sklearn", "torchmetrics", "numpy", "fastapi", "sqlalchemy"} & sys.modules.keys())
print(seconds, *heavy)
"""


def test_a_spec_is_judged_without_torch_and_sklearn_and_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    seconds, *heavy = done.stdout.split()
    assert heavy == []
    assert float(seconds) < 0.5
