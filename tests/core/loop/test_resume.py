"""A run that was interrupted ends with the same bits: every loss, every weight, wherever it was."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from torch import nn

from core.loop.assembly import make_optimizer
from core.spec import parse_spec
from tests.core.loop.interrupting import After, Bench, pieced

BLOBS = {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4}
DEEP = {"name": "mlp", "hidden": [8], "dropout": 0.3, "batch_norm": True}
JOB: dict[str, Any] = {
    "dataset": BLOBS,
    "model": DEEP,
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "batch_size": 10,
    "epochs": 3,
}
EVERY_STEP = {"every_s": 0}
ONLY_ASKED = {"every_s": None}
BLIND: dict[str, Any] = {
    "dataset": "diabetes",
    "model": "linear",
    "preprocess": {"target": "standard"},
    "split": {"validation": 0},
    "epochs": 3,
}
PATIENT = {"monitor": "val_loss", "patience": 3, "min_delta": 0.001}


def resumes_exactly(bench: Bench, fields: dict[str, Any], *, stride: int = 1, datasets: Path | None = None) -> None:
    whole = bench.attempt({**fields, "checkpoints": EVERY_STEP}, datasets=datasets)
    plain = bench.attempt({**fields, "checkpoints": ONLY_ASKED}, datasets=datasets)
    assert whole.bits == plain.bits, "taking checkpoints changed the numbers"
    assert plain.checkpoints == []
    for kept in whole.checkpoints[::stride]:
        again = bench.attempt({**fields, "checkpoints": ONLY_ASKED}, kept, datasets=datasets)
        assert again.resumed
        assert (again.resumed.checkpoint, again.resumed.epoch, again.resumed.step) == (kept.id, kept.epoch, kept.step)
        assert again.resumed.inexact is None
        assert pieced(whole, kept, again) == plain.bits, f"differs from {kept.epoch}, {kept.step}"


def test_a_run_goes_on_exactly_from_every_batch_of_every_epoch(bench: Bench) -> None:
    resumes_exactly(bench, JOB)


@pytest.mark.parametrize(
    "optimizer",
    [
        "adam", "adamw", {"name": "adam", "amsgrad": True, "fused": False}, "rmsprop", "adagrad", "adadelta", "nadam",
        "radam", {"name": "rmsprop", "momentum": 0.5, "centered": True}, "adamax", "asgd", "adafactor", "muon",
        {"name": "pytorch_optimizer", "algorithm": "prodigy"},
    ],
    ids=str,
)  # fmt: skip
def test_every_optimizer_goes_on_exactly(bench: Bench, optimizer: Any) -> None:
    resumes_exactly(bench, {**JOB, "optimizer": optimizer, "lr": 0.01}, stride=13)


def test_rprop_goes_on_exactly(bench: Bench) -> None:
    resumes_exactly(bench, {**BLIND, "optimizer": "rprop", "lr": 0.01, "batch_size": 442})


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_goes_on_exactly(bench: Bench, search: str | None) -> None:
    optimizer = {"name": "lbfgs", "max_iter": 3, "line_search_fn": search}
    resumes_exactly(bench, {**BLIND, "optimizer": optimizer, "lr": 0.5, "batch_size": 442})


@pytest.mark.parametrize(
    "scheduler",
    [
        {"name": "step", "step_size": 1, "gamma": 0.5},
        {"name": "multistep", "milestones": [1, 2, 2], "gamma": 0.5},
        {"name": "exponential", "gamma": 0.5},
        {"name": "cosine", "warmup_epochs": 1},
        {"name": "one_cycle"},
        {"name": "one_cycle", "warmup_epochs": 1, "anneal_strategy": "linear"},
        {"name": "plateau", "patience": 0, "threshold": 0.9},
        {"name": "constant", "warmup_epochs": 2},
    ],
    ids=str,
)
def test_every_schedule_goes_on_exactly(bench: Bench, scheduler: Any) -> None:
    resumes_exactly(bench, {**JOB, "model": "linear", "scheduler": scheduler}, stride=13)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "digits", "model": {"name": "cnn", "channels": [4]}, "batch_size": 150, "epochs": 2},
        {"early_stopping": {**PATIENT, "min_delta": 0.5}, "epochs": 6},
        {"early_stopping": PATIENT, "lr": 0.5, "epochs": 5, "metrics": ["accuracy", "f1", "auroc"]},
        {"clip_grad_norm": 0.1, "clip_grad_value": 0.05, "micro_batch_size": 4},
        {"precision": "bf16"},
        {"param_groups": [{"params": "*.bias", "lr_scale": 0.3}], "freeze": ["*.0.*"], "scheduler": "one_cycle"},
        {"precision": "fp16", "dataset": "diabetes", "model": "linear", "clip_grad_norm": 1, "scheduler": "one_cycle"},
        {"ema": {"decay": 0.9}, "early_stopping": PATIENT, "lr": 0.5},
        {"ema": {"decay": 0.9}, "split": {"folds": 3, "test": 0.2}, "early_stopping": PATIENT, "lr": 0.5},
        {"loader": {"shuffle": False, "drop_last": True}, "batch_size": 11},
        {"split": {"validation": 0}, "metrics": []},
        {"split": {"test": 0.2}, "early_stopping": PATIENT, "lr": 0.5},
        {"split": {"folds": 3, "test": 0.2}, "early_stopping": PATIENT, "lr": 0.5},
        {"dataset": "diabetes", "loss": "huber", "model": {"name": "mlp", "hidden": [8]}, "batch_size": 64},
    ],
    ids=[
        "cnn",
        "stops_early",
        "restores_best",
        "clip",
        "bf16",
        "groups",
        "fp16",
        "ema",
        "ema_folds",
        "in_order",
        "no_split",
        "tested",
        "folds",
        "numbers",
    ],
)
def test_every_kind_of_run_goes_on_exactly(bench: Bench, changes: dict[str, Any]) -> None:
    resumes_exactly(bench, {**JOB, **changes}, stride=14)


def test_folds_go_on_exactly_from_every_batch_and_between_them(bench: Bench) -> None:
    fields = {**JOB, "dataset": {**BLOBS, "samples": 40}, "split": {"folds": 2}, "epochs": 2}
    resumes_exactly(bench, fields)
    behind = bench.attempt({**fields, "checkpoints": {"every_s": None, "every_epochs": 1}})
    places = [(one.epoch, one.step) for one in behind.checkpoints]
    assert places == [(1, 0), (2, 0), (3, 0), (4, 0)]
    for kept in behind.checkpoints:
        again = bench.attempt(fields, kept)
        assert pieced(behind, kept, again) == behind.bits
        assert [row.fold for row in again.rows] == [1, 1, 2, 2][kept.epoch :]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_batches_from_processes_go_on_exactly(bench: Bench) -> None:
    resumes_exactly(bench, {**JOB, "loader": {"num_workers": 2}, "epochs": 2}, stride=14)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_is_stopped_again_and_again_ends_the_same(bench: Bench, seed: int) -> None:
    chance = Random(seed)
    attempts = [bench.attempt(JOB, stop=After(chance.randrange(1, 9)))]
    while attempts[-1].stopped:
        kept = [one for attempt in reversed(attempts) for one in reversed(attempt.checkpoints)]
        attempts.append(bench.attempt(JOB, *kept, stop=After(chance.randrange(1, 9))))
    assert len(attempts) > 3
    assert [bit for attempt in attempts for bit in attempt.bits] == bench.attempt(JOB).bits


def test_an_optimizer_keeps_to_the_kernels_of_the_device_that_it_goes_on_on() -> None:
    weights = nn.Linear(2, 2)
    here, there = (make_optimizer(parse_spec(optimizer(fused=fused)), weights) for fused in (False, True))
    there.param_groups[0]["lr"] = 0.125
    here.load_state_dict(there.state_dict())
    assert there.param_groups[0]["fused"]
    assert not here.param_groups[0]["fused"]
    assert here.param_groups[0]["lr"] == 0.125


def optimizer(*, fused: bool) -> dict[str, Any]:
    return {**JOB, "optimizer": {"name": "adam", "fused": fused}}
