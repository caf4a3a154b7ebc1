"""Batches that go through the model in pieces: the same gradients, and the same run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.data import PADDING
from core.loading import data
from core.loading.samples import Samples
from core.loop.assembly import assemble
from core.loop.run import Run
from core.loop.step import find_gradients, take_step
from core.spec import parse_spec
from tests.core.uploading import Shelf

TrainJob = Callable[..., Any]

TINY = {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0}
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.05,
    "batch_size": 15,
    "epochs": 3,
    "clip_grad_norm": 0.5,
}


@pytest.mark.parametrize("size", [1, 4, 7, 14])
def test_pieces_of_any_size_give_the_losses_of_whole_batches(train_job: TrainJob, size: int) -> None:
    whole, pieces = train_job(**JOB), train_job(**JOB, micro_batch_size=size)
    for ours, theirs in zip(pieces.rows, whole.rows, strict=True):
        assert ours.figures() == pytest.approx(theirs.figures(), abs=1e-6)


def test_no_more_samples_go_through_the_model_than_asked(train_job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    forward = nn.Linear.forward

    def counted(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            seen.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(nn.Linear, "forward", counted)
    # 100 training samples are six batches of 15 and one of 10
    train_job(**{**JOB, "model": "linear"}, micro_batch_size=6)
    assert seen == [*[6, 6, 3] * 6, 6, 4] * 3


def test_batch_norm_takes_its_means_over_a_micro_batch(train_job: TrainJob) -> None:
    job = {**JOB, "model": {"name": "mlp", "hidden": [8], "batch_norm": True}}
    whole, pieces = train_job(**job), train_job(**job, micro_batch_size=5)
    assert pieces.rows[0].train_loss != pytest.approx(whole.rows[0].train_loss, abs=1e-4)


def test_tokens_that_are_padding_do_not_weigh_their_piece(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    spec = shelf.spec(shelf.put("a.txt", b"to be or not to be, " * 60), {}, model=TINY, preprocess={"block_size": 8})
    made = data.make(spec, cache=None, datasets=shelf.folder)
    run = assemble(spec, made, device=torch.device("cpu"))
    batch = made.train.take(torch.arange(6))
    batch.y[4:, 2:] = PADDING
    told = []
    for size in (None, 4):
        run.position.micro_batch = size
        loss = find_gradients(run, batch)
        told.append(
            (loss.item(), [weight.grad.clone() for weight in run.model.parameters() if weight.grad is not None])
        )
    (whole, gradients), (pieces, added) = told
    assert pieces == pytest.approx(whole, abs=1e-6)
    for one, other in zip(gradients, added, strict=True):
        torch.testing.assert_close(other, one, atol=1e-6, rtol=1e-4)


def test_each_gradient_is_cut_by_its_value_before_all_are_by_their_norm() -> None:
    run = assembled(clip_grad_value=0.01, clip_grad_norm=0.015)
    weights = list(run.model.parameters())
    before = [weight.detach().clone() for weight in weights]
    take_step(run, Samples(100 * torch.ones(4, 4), torch.tensor([0, 1, 2, 0])))
    steps = torch.cat([(was - now).flatten() for was, now in zip(before, weights, strict=True)])
    # every gradient is far above 0.01, so all moved as far: 15 of 0.01 have the norm 0.0387, which is cut to 0.015
    assert steps.norm().item() == pytest.approx(0.015, rel=1e-4)
    assert steps.abs().max().item() == pytest.approx(0.015 / steps.count_nonzero().item() ** 0.5, rel=1e-3)


def assembled(**fields: Any) -> Run:
    spec = parse_spec({"dataset": "iris", "model": "linear", "optimizer": "sgd", "lr": 1.0, **fields})
    return assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))
