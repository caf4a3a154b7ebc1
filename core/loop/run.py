"""The live objects of a run, assembled from its spec."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import Metric

from core.loop import data
from core.loop.batches import Feed, from_workers, in_memory
from core.loop.order import permutation
from core.loop.pace import Pace
from core.loop.samples import Samples
from core.loop.stopping import Watch
from core.registry import losses, metrics, models, optimizers, schedulers
from core.schedule import Schedule
from core.spec import JobSpec

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class Run:
    """Everything that an epoch needs; the model, the data held back and the batches are on `device`."""

    spec: JobSpec
    device: torch.device
    model: nn.Module
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    metrics: dict[str, Metric]
    feed: Feed
    held: Samples | None
    columns: data.Columns
    watch: Watch
    pace: Pace
    kept: dict[str, Tensor] | None = None
    """The best epoch's weights, once there are any to restore."""

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def batches(self, epoch: int) -> Iterator[Samples]:
        """The batches of `epoch`, in an order that only the seed and the epoch decide."""
        yield from self.feed(_order(self.spec, epoch))

    def keep(self) -> None:
        """Remember the weights as they are now."""
        self.kept = {name: weight.detach().clone() for name, weight in self.model.state_dict().items()}


def assemble(spec: JobSpec, *, device: torch.device, cache: Path | None) -> Run:
    """Build the run: data first, then the parts, with every global generator seeded by `spec.seed` in between."""
    made = data.make(spec, cache=cache)
    _seed(spec.seed)
    # built on the CPU, so that the first weights are the same on every device
    model: nn.Module = models.build(spec.model, spec.model_shape).to(device)
    optimizer: Optimizer = optimizers.build(spec.optimizer, model.parameters(), spec.lr)
    return Run(
        spec=spec,
        device=device,
        model=model,
        loss=losses.build(spec.loss),
        optimizer=optimizer,
        schedule=schedulers.build(spec.scheduler, optimizer, spec.epochs, spec.steps_per_epoch),
        metrics={f"val_{chosen.name}": metrics.build(chosen, spec.data_shape.classes) for chosen in spec.metrics},
        feed=_feed(spec, made.train, device),
        held=made.held.to(device) if made.held else None,
        columns=made.columns,
        watch=_watch(spec),
        pace=Pace(spec.epochs, spec.steps_per_epoch),
    )


def is_finite(*figures: float | None) -> bool:
    """Whether every figure that there is, is a finite number."""
    return all(figure is None or math.isfinite(figure) for figure in figures)


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    # a part from elsewhere may draw from these
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _feed(spec: JobSpec, train: Samples, device: torch.device) -> Feed:
    workers = spec.loader.num_workers
    if not workers:
        return in_memory(train, batch_size=spec.batch_size, device=device)
    pin = spec.loader.pin_memory is not False
    return from_workers(train, batch_size=spec.batch_size, device=device, workers=workers, pin=pin)


def _order(spec: JobSpec, epoch: int) -> Tensor:
    samples = spec.train_samples
    order = permutation(samples, seed=spec.seed, epoch=epoch) if spec.loader.shuffle else torch.arange(samples)
    return order[: spec.steps_per_epoch * spec.batch_size]


def _watch(spec: JobSpec) -> Watch:
    stopping = spec.early_stopping
    if stopping is None:
        return Watch("val_loss" if spec.val_samples else "train_loss")
    name = stopping.monitor.removeprefix("val_")
    rises = name in metrics.names() and metrics.get(name).facts["mode"] == "max"
    return Watch(stopping.monitor, rises, stopping.patience, stopping.min_delta)
