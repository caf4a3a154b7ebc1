"""The same spec gives the same numbers, by whichever road, and those of a plain DataLoader loop."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from core.loading import data
from core.loading.order import permutation
from core.loop import load_model
from core.loop.preparation import settle
from core.registry import losses, models, optimizers
from core.spec import JobSpec, parse_spec

TrainJob = Callable[..., Any]

FIELDS: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 333, "features": 7, "classes": 4, "noise": 4},
    "model": {"name": "mlp", "hidden": [16], "batch_norm": True},
    "optimizer": "adamw",
    "lr": 0.01,
    "batch_size": 10,
    "epochs": 3,
    "seed": 5,
}


def test_the_same_spec_gives_the_same_figures(train_job: TrainJob) -> None:
    assert train_job(**FIELDS).figures == train_job(**FIELDS).figures


def test_another_seed_gives_others(train_job: TrainJob) -> None:
    assert train_job(**FIELDS).figures != train_job(**{**FIELDS, "seed": 6}).figures


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_dataloader_processes_give_the_same_figures(train_job: TrainJob, shuffle: bool) -> None:
    alone, fetched = (
        train_job(**FIELDS, loader={"num_workers": workers, "shuffle": shuffle, "drop_last": True})
        for workers in (0, 2)
    )
    assert fetched.figures == alone.figures


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_run_leaves_no_dataloader_process_behind(train_job: TrainJob) -> None:
    before = set(multiprocessing.active_children())  # what other tests in this process left to end by itself
    train_job(**FIELDS, loader={"num_workers": 2})
    assert set(multiprocessing.active_children()) <= before


def test_two_threads_give_the_same_figures_every_time(train_job: TrainJob) -> None:
    fields = {"dataset": "digits", "model": {"name": "cnn", "channels": [8]}, "epochs": 1, "resources": {"threads": 2}}
    first = train_job(**fields)
    assert first.started.threads == 2
    assert all(train_job(**fields).figures == first.figures for _ in range(2))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "adagrad"])
def test_a_fused_optimizer_gives_nearly_the_same_losses(train_job: TrainJob, optimizer: str) -> None:
    fields = {"dataset": "digits", "model": "mlp", "lr": 0.01, "epochs": 10}
    fused, plain = (train_job(**fields, optimizer={"name": optimizer, "fused": choice}) for choice in (True, False))
    for one, other in zip(fused.rows, plain.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-4)
        assert one.val_loss == pytest.approx(other.val_loss, abs=1e-4)


def by_hand(spec: JobSpec, *, cache: Path) -> tuple[list[float], list[float], dict[str, Tensor]]:
    """The teaching page's loop over a DataLoader that visits the samples in our order: losses and weights."""
    settle()
    made = data.make(spec, cache=cache)
    assert made.held is not None
    torch.manual_seed(spec.seed)
    model = models.build(spec.model, spec.model_shape)
    optimizer = optimizers.build(spec.optimizer, model.parameters(), spec.lr)
    cost = losses.build(spec.loss)
    train_losses, val_losses = [], []
    for epoch in range(1, spec.epochs + 1):
        order = permutation(spec.train_samples, seed=spec.seed, epoch=epoch).tolist()
        # without a generator of its own it would draw from the global one, as dropout does
        own = torch.Generator()
        loader = DataLoader(
            TensorDataset(made.train.x, made.train.y), batch_size=spec.batch_size, sampler=order, generator=own
        )
        model.train()
        sums = []
        for x, y in loader:
            optimizer.zero_grad()
            loss = cost(model(x), y)
            loss.backward()
            optimizer.step()
            sums.append(loss.item() * len(x))
        train_losses.append(math.fsum(sums) / len(order))
        model.eval()
        with torch.no_grad():
            val_losses.append(cost(model(made.held.x), made.held.y).item())
    return train_losses, val_losses, model.state_dict()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"name": "mlp", "hidden": [16], "dropout": 0.3, "batch_norm": True}},
        {"model": "linear", "optimizer": {"name": "sgd", "momentum": 0.9}},
        {"dataset": "digits", "model": {"name": "cnn", "channels": [4]}, "batch_size": 64},
        {"dataset": "digits", "model": "mlp", "batch_size": 16},
        {"dataset": "diabetes", "preprocess": {"target": "standard"}, "optimizer": "rmsprop"},
    ],
    ids=["mlp", "linear", "cnn", "digits", "numbers"],
)
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_plain_dataloader_loop_in_our_order_gives_the_same_bits(
    train_job: TrainJob, cache: Path, changes: dict[str, Any], workers: int
) -> None:
    fields = {**FIELDS, **changes, "loader": {"num_workers": workers}}
    told = train_job(**fields)
    train_losses, val_losses, weights = by_hand(parse_spec(fields), cache=cache)
    assert [row.train_loss for row in told.rows] == train_losses
    assert [row.val_loss for row in told.rows] == val_losses
    ours = load_model(told.folder).state_dict()
    assert all(torch.equal(ours[name], weights[name]) for name in weights)


def test_a_run_leaves_no_trace_in_the_next(train_job: TrainJob) -> None:
    first = train_job(**FIELDS).figures
    train_job(dataset="iris", model="linear", epochs=1, seed=9)
    torch.randn(100)
    assert train_job(**FIELDS).figures == first
