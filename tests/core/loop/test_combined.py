"""What a spec may ask of the training, at random together: it ends well, and goes on exactly from anywhere."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from core.errors import Diverged, SpecRefused
from core.events import Finished, Started
from core.loop import load_model
from core.loop.training import NONE
from core.planning import plan
from core.spec import parse_spec
from tests.core.loop.interrupting import Bench, pieced

DATASETS = ["iris", "diabetes", {"name": "moons", "samples": 60}, {"name": "blobs", "samples": 80, "noise": 4.0}]
MODELS: list[Any] = [
    "linear",
    {"name": "mlp", "hidden": [8], "dropout": 0.2},
    {"name": "mlp", "hidden": [8], "batch_norm": True},
    {"name": "layers", "layers": [{"name": "linear", "out": 8}, "tanh", {"name": "linear", "out": "auto"}]},
    {"name": "autoencoder", "latent": 2, "hidden": [8]},
]
SGD, ADAM = {"name": "sgd", "momentum": 0.9}, "adamw"
STEADY, SHORT = {"optimizer": SGD, "lr": 0.01, "epochs": 1}, {"optimizer": ADAM, "epochs": 2, "scheduler": "cosine"}
WISHES: dict[str, list[Any]] = {
    "batch_size": [7, 32, "auto"],
    "micro_batch_size": [3, 8],
    "optimizer": [SGD, "nadam", "muon", {"name": "rmsprop", "centered": True}],
    "scheduler": ["one_cycle", {"name": "cosine", "warmup_epochs": 1}, "plateau"],
    "phases": [[STEADY, SHORT], [SHORT, STEADY]],
    "split": [{"folds": 2}, {"test": 0.2}, {"folds": 3, "fold": 2, "seed": 5}, {"validation": 0}],
    "seeds": [2],
    "loss": [{"name": "cross_entropy", "class_weight": "balanced"}, {"name": "huber"}],
    "early_stopping": [{"patience": 1, "min_delta": 9.0}, {"patience": 1, "restore_best": False}, {}],
    "sharpness": [{"directions": 2, "samples": 20}],
    "augment": [[{"name": "noise"}], [{"name": "mixup"}]],
    "precision": ["bf16", "fp16"],
    "clip_grad_value": [0.1],
    "clip_grad_norm": [1.0],
    "ema": [{"decay": 0.5}],
    "param_groups": [[{"params": "*weight", "weight_decay": 0.0, "lr_scale": 2.0}]],
    "freeze": [["*bias"]],
    "on_out_of_memory": ["accumulate"],
}


def job(seed: int) -> dict[str, Any]:
    """A spec with some wishes at random, without those that are refused together with the rest."""
    chance = random.Random(seed)
    chosen = {field: chance.choice(values) for field, values in WISHES.items() if chance.random() < 0.35}
    fields = {"dataset": chance.choice(DATASETS), "model": chance.choice(MODELS), **chosen}
    if "phases" not in fields:
        fields["epochs"] = chance.randint(1, 3)
    fields["checkpoints"] = {"every_s": 0, "keep_last": 100}
    while True:
        try:
            return parse_spec(fields).model_dump(mode="json")
        except SpecRefused as refused:
            field = refused.problems[0].pointer.split("/")[1]
            fields = {name: value for name, value in fields.items() if name != field}
            fields.setdefault("model", "linear")


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(12, 150))])
def test_whatever_is_asked_for_together_ends_well_and_goes_on_exactly(bench: Bench, seed: int) -> None:
    fields, chance = job(seed), random.Random(seed)
    try:
        whole = bench.attempt(fields)
    except Diverged:
        return
    [started] = whole.every(Started)
    assert whole.every(Finished)
    assert all(math.isfinite(figure) for row in whole.rows for figure in row.figures().values())
    assert started.parameters == plan(parse_spec(fields), None, None)["parameters"]
    assert started.parameters == sum(weight.numel() for weight in load_model(whole.folder).parameters())
    place = chance.choice(whole.checkpoints)
    again = bench.attempt(fields, place, numbers=started.resolved or NONE)
    assert "checkpoint_unusable" not in again.notices
    assert pieced(whole, place, again) == whole.bits
