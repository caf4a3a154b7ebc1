"""The live objects of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import Metric

from core.data import PADDING
from core.job import EpochRow
from core.loading.batches import Feed
from core.loading.data import Data
from core.loading.order import block_permutation, block_rows, permutation
from core.loading.samples import Samples
from core.loop.augment import Augment
from core.loop.averaging import Average
from core.loop.compiling import uncompiled
from core.loop.gathering import Counts, Generators
from core.loop.gauge import Gauge
from core.loop.pace import Pace
from core.loop.peers import ALONE, Peers, order_of
from core.loop.position import Position
from core.loop.precision import Precision
from core.loop.randomness import Randomness
from core.loop.rounds import Rounds
from core.loop.stopping import Leaders, Watch
from core.loop.tally import Tally
from core.schedule import Schedule
from core.spec import JobSpec

Loss = Callable[[Tensor, Tensor], Tensor]
See = Callable[[Tensor, Tensor], None]
"""Gets what comes out of a model and the targets as they are trained on: all at once or piece by piece."""


def unseen(prediction: Tensor, target: Tensor) -> None:
    """Look at nothing."""


class Stateful(Protocol):
    """Whatever of a run must be as it was when the run goes on."""

    def state_dict(self) -> dict[str, Any]:
        """Its state: tensors and plain values."""

    def load_state_dict(self, state: Any) -> Any:
        """Be as `state` says."""


class Kept:
    """The best epoch's weights, once there are any to restore."""

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}

    def keep(self, weights: Mapping[str, Tensor]) -> None:
        """Remember the weights as they are now."""
        self.weights = {name: weight.detach().clone() for name, weight in weights.items()}

    def state_dict(self) -> dict[str, Tensor]:
        """The weights; none yet is an empty dict."""
        return self.weights

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Remember the weights in `state`."""
        self.weights = dict(state)


@dataclass
class Run:
    """Everything that an epoch needs; the model, the data held back and the batches are on `device`."""

    spec: JobSpec
    device: torch.device
    data: Data
    model: nn.Module
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    metrics: dict[str, Metric]
    feed: Feed
    watch: Watch
    leaders: Leaders
    pace: Pace
    kept: Kept = field(default_factory=Kept)
    tally: Tally = field(default_factory=Tally)
    position: Position = field(default_factory=Position)
    precision: Precision = field(default_factory=Precision)
    average: Average = field(default_factory=Average)
    augment: Augment | None = None
    rounds: Rounds = field(default_factory=Rounds)
    chosen: Kept = field(default_factory=Kept)
    """The weights of the best round that has ended, of a run of several."""
    gauge: Gauge | None = None
    """What measures the memory, made before the run."""
    seed: int | None = None
    """The seed that each epoch is told with, where the job has several."""
    peers: Peers = ALONE
    """The other processes that train this run."""
    inexact: str | None = None
    """Why the figures may differ in their last bits from an uninterrupted run's, if they may."""

    @property
    def best(self) -> EpochRow | None:
        """The best epoch so far, in all rounds."""
        return self.rounds.best(self.watch)

    @property
    def kept_row(self) -> EpochRow | None:
        """The epoch whose weights are kept: the best one where it is restored, else the last."""
        return self.watch.best if self.kept.weights else self.position.last

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def judged(self) -> nn.Module:
        """The model that is validated, tested and kept: the averaged one where there is one."""
        return self.average.model or self.model

    def forward(self, x: Tensor) -> Tensor:
        """What the model that trains gives for `x`, in float32."""
        return self.precision.forward(self.peers.around(self.model), x)

    def predict(self, x: Tensor) -> Tensor:
        """What the model that is judged gives for `x`, in float32."""
        return self.precision.forward(uncompiled(self.judged), x)

    def stateful(self) -> dict[str, Stateful]:
        """All that a checkpoint holds, by name; whatever is left out here differs after a resume."""
        parts: dict[str, Stateful] = {
            "position": self.position,
            "model": self.model,
            "kept": self.kept,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "watch": self.watch,
            "leaders": self.leaders,
            "tally": self.tally if self.peers.size == 1 else Counts(self.tally, self.peers),
            "random": Randomness(self.device) if self.peers.size == 1 else Generators(self.device, self.peers),
            "precision": self.precision,
            "average": self.average,
            "rounds": self.rounds,
            "chosen": self.chosen,
        }
        if not self.peers.shards:
            return parts
        from core.loop import sharding

        whole: dict[str, Stateful] = {
            "model": sharding.Weights(self.model),
            "optimizer": sharding.OptimizerState(self.optimizer),
        }
        return {**parts, **whole}

    @property
    def batch_samples(self) -> int:
        """How many samples the batch at hand has, in all processes together."""
        left = self.spec.train_samples - self.position.step * self.spec.batch_size
        return min(self.spec.batch_size, left)

    def count(self, batch: Samples) -> int:
        """Over how many the loss of `batch` is the mean: its samples, of a text its tokens that are no padding."""
        return int((batch.y != PADDING).sum()) if self.spec.data_shape.next_token else len(batch.y)

    def count_in_all(self, own: int) -> int:
        """The count of the batch at hand in all processes together, of which this one has `own`."""
        return self.peers.total(own) if self.spec.data_shape.next_token else self.batch_samples

    @property
    def makes_whole_batches(self) -> bool:
        """Whether each process makes a batch as a whole, although it trains on a part of it."""
        return makes_whole_batches(self.augment)

    def order(self) -> Tensor:
        """The samples that the running epoch has left for this process: int64, their places in the training part."""
        size = self.spec.batch_size
        left = _order(self.spec, self.position.running)[self.position.step * size :]
        return left if self.makes_whole_batches else order_of(self.peers, left, batch_size=size)

    def batches(self) -> Iterator[Samples]:
        """The batches that the running epoch has left, in an order that only the seed and the epoch decide.

        They are changed as the spec's augmentations say.
        """
        if (augment := self.augment) is not None:
            epoch, done = self.position.running, self.position.step
            for step, (rows, batch) in enumerate(self.numbered_batches(), done):
                yield augment(batch, rows, epoch=epoch, step=step)
            return
        order = self.order()
        if len(order):
            yield from self.feed(order)

    def numbered_batches(self) -> Iterator[tuple[Tensor, Samples]]:
        """The same batches, each with its samples' places in the training part: int64, on the CPU."""
        order = self.order()
        if len(order):
            size = at_once(self.spec, self.peers, self.augment)
            yield from zip(torch.split(order, size), self.feed(order), strict=True)

    def end_epoch(self, row: EpochRow) -> None:
        """Stand behind the epoch of `row`, with nothing counted of the next one."""
        self.position.end_epoch(row)
        self.tally = Tally()


def is_finite(*figures: float | None) -> bool:
    """Whether every figure that there is, is a finite number."""
    return all(figure is None or math.isfinite(figure) for figure in figures)


def makes_whole_batches(augment: Augment | None) -> bool:
    """Whether samples of a batch are mixed with each other, so that none can be made without the others."""
    return augment is not None and augment.mixes


def at_once(spec: JobSpec, peers: Peers, augment: Augment | None) -> int:
    """How many samples of a full batch come to this process."""
    if makes_whole_batches(augment):
        return spec.batch_size
    return len(range(spec.batch_size)[peers.part(spec.batch_size)])


def _order(spec: JobSpec, epoch: int) -> Tensor:
    samples = spec.train_samples
    return _visited(spec, samples, epoch)[: spec.steps_per_epoch * spec.batch_size]


def _visited(spec: JobSpec, samples: int, epoch: int) -> Tensor:
    return shuffled(spec, epoch) if spec.loader.shuffle else torch.arange(samples)


def shuffled(spec: JobSpec, epoch: int) -> Tensor:
    """The samples that train in the order of a shuffle for `epoch`, by blocks where they are read so: int64."""
    features, samples = spec.data_shape.features, spec.train_samples
    if spec.loader.streaming and len(features) == 1:
        return block_permutation(samples, block=block_rows(features), seed=spec.seed, epoch=epoch)
    return permutation(samples, seed=spec.seed, epoch=epoch)
