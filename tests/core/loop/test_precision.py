"""Runs that compute in half as many bits: nearly the same losses, float32 weights, and steps that are skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import InvalidSpec
from core.loading import data
from core.loading.samples import Samples
from core.loop import assembly
from core.loop.assembly import assemble
from core.loop.run import Run
from core.loop.step import take_step
from core.spec import parse_spec

TrainJob = Callable[..., Any]

JOB: dict[str, Any] = {"dataset": "digits", "model": "mlp", "lr": 0.01, "epochs": 3}
NUMBERS: dict[str, Any] = {"dataset": "diabetes", "model": "linear", "lr": 0.1, "batch_size": 50, "precision": "fp16"}
"""Its first losses are so large that their scaled gradients are infinite."""


@pytest.mark.parametrize("model", ["mlp", {"name": "cnn", "channels": [4]}])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_fewer_bits_give_nearly_the_same_losses(train_job: TrainJob, precision: str, model: Any) -> None:
    job = {**JOB, "model": model}
    full, half = train_job(**job), train_job(**job, precision=precision)
    assert half.figures != full.figures
    for one, other in zip(half.rows, full.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.1)
        assert one.val_loss == pytest.approx(other.val_loss, rel=0.15)


def test_the_weights_and_what_is_told_of_them_stay_float32(train_job: TrainJob) -> None:
    told = train_job(**JOB, precision="bf16")
    assert {weight.dtype for weight in load_file(told.folder / "model.safetensors").values()} == {torch.float32}


def test_the_model_computes_in_what_was_asked_in_training_and_evaluation(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[bool, torch.dtype]] = set()
    forward = nn.Linear.forward

    def noted(self: nn.Linear, x: Tensor) -> Tensor:
        scores = forward(self, x)
        seen.add((torch.is_grad_enabled(), scores.dtype))
        return scores

    monkeypatch.setattr(nn.Linear, "forward", noted)
    train_job(**{**JOB, "epochs": 1, "precision": "bf16"})
    assert seen == {(True, torch.bfloat16), (False, torch.bfloat16)}


@pytest.mark.parametrize("optimizer", ["adam", {"name": "sgd", "momentum": 0.9}, "rmsprop"], ids=str)
def test_a_step_whose_gradients_are_too_large_moves_nothing_but_the_scale(optimizer: Any) -> None:
    run, batch = assembled(**NUMBERS, optimizer=optimizer, scheduler="one_cycle", ema={"decay": 0.5})
    before, lr = state(run), run.lr
    assert take_step(run, batch).isfinite()
    assert state(run) == before
    assert run.lr == lr
    assert run.precision.state_dict()["scale"] == 2.0**15
    for _ in range(9):
        take_step(run, batch)
    assert state(run) != before
    assert run.lr > lr


def test_gradients_are_clipped_in_their_own_size() -> None:
    run, batch = assembled(**{**NUMBERS, "lr": 1.0}, optimizer="sgd", clip_grad_norm=0.5)
    while True:
        before = [weight.detach().clone() for weight in run.model.parameters()]
        take_step(run, batch)
        steps = [now - was for now, was in zip(run.model.parameters(), before, strict=True)]
        if any(step.any() for step in steps):
            break
    assert torch.cat([step.flatten() for step in steps]).norm().item() == pytest.approx(0.5, rel=1e-3)


def test_micro_batches_of_scaled_losses_add_up(train_job: TrainJob) -> None:
    job = {**JOB, "precision": "fp16"}
    whole, pieces = train_job(**job), train_job(**job, micro_batch_size=8)
    for one, other in zip(pieces.rows, whole.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-2)


class Whole(nn.Linear):
    """A layer without a kernel for numbers of 16 bits."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            raise NotImplementedError("\"addmm\" not implemented for 'Half'")
        return super().forward(x)


def test_a_model_that_cannot_compute_in_it_is_told_with_the_remedy(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "make_model", lambda _: nn.Sequential(nn.Flatten(), Whole(64, 10)))
    with pytest.raises(InvalidSpec, match="cannot compute in fp16 on cpu") as raised:
        train_job(**JOB, precision="fp16")
    assert (raised.value.param, raised.value.hint) == ("/precision", 'Take "bf16" or "fp32".')
    assert train_job(**JOB).rows


def assembled(**fields: Any) -> tuple[Run, Samples]:
    spec = parse_spec(fields)
    run = assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))
    return run, next(run.batches())


def state(run: Run) -> list[Any]:
    """The weights, and those of the average."""
    return [weight.tolist() for model in (run.model, run.judged) for weight in model.parameters()]
