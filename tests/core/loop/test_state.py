"""Nothing that a checkpoint holds could be left out: without it a resumed run differs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.checkpoint import Occasion
from core.loop import assembly
from core.loop.randomness import Randomness, undisturbed
from core.loop.run import Run
from tests.core.loop.interrupting import Attempt, Bench, pieced

CPU = torch.device("cpu")
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "batch_norm": True},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "batch_size": 10,
    "epochs": 4,
    "checkpoints": {"every_s": 0},
}
DROPOUT = {"name": "mlp", "hidden": [8], "dropout": 0.3}
STOPPING = {"monitor": "val_loss", "patience": 2, "min_delta": 0.3, "restore_best": False}
RESTORING = {"monitor": "val_loss", "patience": 50}
NEEDED: dict[str, dict[str, Any]] = {
    "position": {},
    "model": {},
    "optimizer": {},
    "schedule": {"scheduler": "one_cycle"},
    "watch": {"early_stopping": STOPPING, "epochs": 9},
    "kept": {"early_stopping": RESTORING, "dataset": "wine", "lr": 1.5, "batch_size": 14},
    "tally": {},
    "random": {"model": DROPOUT},
    "precision": {"dataset": "diabetes", "model": "linear", "precision": "fp16", "batch_size": 50, "metrics": []},
    "average": {"ema": {"decay": 0.9}},
    "rounds": {"split": {"folds": 2}, "epochs": 2},
}
"""For each part of the state a job that needs it."""


def goes_on(bench: Bench, job: dict[str, Any], first: Attempt, place: tuple[int, int]) -> list[Any]:
    kept = next(one for one in first.checkpoints if (one.epoch, one.step) == place)
    return pieced(first, kept, bench.attempt(job, kept))


def test_every_part_of_the_state_is_tried_here(bench: Bench) -> None:
    parts: list[set[str]] = []
    whole = Run.stateful

    def noted(run: Run) -> dict[str, Any]:
        parts.append({*whole(run)})
        return whole(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "stateful", noted)
        bench.attempt({**JOB, "epochs": 1})
    assert parts[0] == {*NEEDED, "leaders", "chosen"}
    standing = {"spec", "device", "data", "loss", "metrics", "feed", "pace", "augment", "inexact", "gauge", "seed"}
    standing |= {"peers"}
    assert {field.name for field in fields(Run)} - standing == parts[0] - {"random"}


@pytest.mark.parametrize("part", NEEDED)
def test_a_run_without_one_part_of_its_state_ends_differently(bench: Bench, part: str) -> None:
    job = {**JOB, **NEEDED[part]}
    first, whole = bench.attempt(job), Run.stateful
    place = (first.rows[-1].epoch - 1, 4)
    assert goes_on(bench, job, first, place) == first.bits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "stateful", lambda run: {name: one for name, one in whole(run).items() if name != part})
        assert goes_on(bench, job, first, place) != first.bits


def test_a_run_of_folds_without_the_weights_of_the_best_before_has_none_to_leave(bench: Bench) -> None:
    job = {**JOB, **NEEDED["rounds"], "split": {"folds": 2, "seed": 1}}
    first, whole = bench.attempt(job), Run.stateful
    assert first.kept_epoch == 2, "the first fold is the best here"
    assert goes_on(bench, job, first, (3, 4)) == first.bits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "stateful", lambda run: {name: one for name, one in whole(run).items() if name != "chosen"})
        with pytest.raises(RuntimeError, match="Missing key"):
            goes_on(bench, job, first, (3, 4))


class Noisy(nn.Module):
    """A model that draws from every generator there is while it trains."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        noise = random.random() + np.random.random() + torch.rand(())
        scores: Tensor = self.inner(x * noise if self.training else x)
        return scores


@pytest.mark.parametrize("generator", ["torch", "numpy", "python"])
def test_a_run_without_one_generators_state_ends_differently(
    bench: Bench, generator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, load = assembly.make_model, Randomness.load_state_dict
    monkeypatch.setattr(assembly, "make_model", lambda spec: Noisy(make(spec)))
    first = bench.attempt(JOB)
    assert goes_on(bench, JOB, first, (2, 3)) == first.bits

    def partly(self: Randomness, state: Mapping[str, Any]) -> None:
        load(self, {**state, generator: Randomness(CPU).state_dict()[generator]})

    monkeypatch.setattr(Randomness, "load_state_dict", partly)
    assert goes_on(bench, JOB, first, (2, 3)) != first.bits


def test_the_best_epochs_so_far_are_known_after_a_resume(bench: Bench) -> None:
    job = {**JOB, "lr": 1.0, "epochs": 8, "checkpoints": {"every_s": None, "every_epochs": 1, "keep_best": 2}}
    first = bench.attempt(job)
    taken = {one.epoch: one.occasion for one in first.checkpoints}
    assert {*taken.values()} == {Occasion.BEST, Occasion.EPOCH}
    kept = first.checkpoints[3]
    again = {one.epoch: one.occasion for one in bench.attempt(job, kept).checkpoints}
    assert again == {epoch: occasion for epoch, occasion in taken.items() if epoch > 4}
    whole = Run.stateful
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "stateful", lambda run: {name: one for name, one in whole(run).items() if name != "leaders"})
        assert {one.epoch: one.occasion for one in bench.attempt(job, kept).checkpoints} != again


def test_what_is_drawn_aside_is_put_back() -> None:
    draws: list[Callable[[], float]] = [random.random, np.random.random, lambda: torch.rand(()).item()]
    with undisturbed(CPU):
        expected = [draw() for draw in draws]
    assert [draw() for draw in draws] == expected


def test_the_times_of_an_interrupted_epoch_add_up(bench: Bench) -> None:
    job = {**JOB, "epochs": 1}
    first = bench.attempt(job)
    kept = first.checkpoints[4]
    state = torch.load(f"{kept.path}/state.pt", weights_only=True)
    again = bench.attempt(job, kept).rows[0]
    spent, waited = state["parts"]["tally"]["seconds"], state["parts"]["tally"]["waited_s"]
    assert 0 < waited < spent
    assert again.epoch_s > spent
    assert again.data_wait_s > waited
    assert again.samples_per_s == pytest.approx(100 / again.epoch_s)
