"""From a spec and its data to a run: each live object is built in one place, at the start and when a stage begins."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torchmetrics import Metric

from core.loading.batches import Feed, from_thread, from_workers, in_memory
from core.loading.blocks import from_blocks
from core.loading.counting import counts
from core.loading.data import Data
from core.loading.samples import Samples
from core.loading.streamed import Streamed
from core.loading.windowed import Windowed
from core.loop import augment, sketch
from core.loop.averaging import Average
from core.loop.compiling import set_compiled
from core.loop.eager import eager
from core.loop.groups import freeze, regroup, trainable
from core.loop.pace import Pace
from core.loop.peers import ALONE, Peers
from core.loop.position import Position
from core.loop.precision import Precision
from core.loop.randomness import part_ways, seed_all
from core.loop.reconstruction import to_itself
from core.loop.run import Loss, Run, at_once
from core.loop.starting import Start
from core.loop.stopping import Leaders, Watch
from core.registry import losses, metrics, models, optimizers, rises, schedulers
from core.schedule import Schedule
from core.spec import JobSpec

_KERNELS = ("fused", "foreach", "capturable")
"""Settings of an optimizer that say how it computes on this device, not what."""


def assemble(  # noqa: PLR0913  (four have a default)
    spec: JobSpec,
    data: Data,
    *,
    device: torch.device,
    schedule_since: int = 0,
    start: Start | None = None,
    peers: Peers = ALONE,
) -> Run:
    """Build the run on `data`, with every global generator seeded by `spec.seed` before the first weights are drawn.

    All are drawn, also where those of `start` then take their place: what is drawn later does not depend on them. The
    processes of a run draw the same weights, and then from generators of their own.
    Raises InvalidSpec and InvalidData for weights that do not fit.
    """
    seed_all(spec.seed)
    # built on the CPU, so that the first weights are the same on every device
    model = make_model(spec)
    if start is not None:
        start.take(model)
    model = model.to(device)
    freeze(model, spec.freeze)
    peers.share_out(model)
    optimizer = make_optimizer(spec, model)
    changes = augment.make(spec, data, device)
    part_ways(spec.seed, peers.rank)
    run = Run(
        spec=spec,
        device=device,
        data=data,
        model=model,
        loss=make_loss(spec, data),
        optimizer=optimizer,
        schedule=make_schedule(spec, optimizer, since=schedule_since),
        metrics=make_metrics(spec),
        feed=make_feed(spec, data, device, at_once=at_once(spec, peers, changes)),
        watch=make_watch(spec),
        leaders=Leaders(spec.checkpoints.monitor, spec.checkpoints.keep_best),
        pace=Pace(spec.epochs, spec.steps_per_epoch),
        augment=changes,
        peers=peers,
        position=Position(micro_batch=spec.micro_batch_size),
        precision=make_precision(spec, device),
        average=make_average(spec, model),
    )
    if spec.compile:
        set_compiled(model, wanted=True)
    return run


def make_model(spec: JobSpec) -> nn.Module:
    """The model with fresh weights, on the CPU; raises InvalidSpec for what only a sketch of it can tell."""
    sketch.judge(spec)
    model: nn.Module = models.build(spec.model, spec.model_shape)
    return model


def make_loss(spec: JobSpec, data: Data) -> Loss:
    """The loss; one that asks for it is handed what counts the targets of the training part."""
    handed = (functools.partial(counts, data.train, spec.data_shape),) if losses.get(spec.loss.name).takes else ()
    loss: Loss = losses.build(spec.loss, *handed)
    return loss


def make_optimizer(spec: JobSpec, model: nn.Module) -> Optimizer:
    """The optimizer of the model's weights that train, without state."""
    optimizer = eager(optimizers.build(spec.optimizer, trainable(model), spec.lr))
    if spec.param_groups:
        make_groups(spec, optimizer, model)
    for group in optimizer.param_groups:
        if group.get("fused") and any(hasattr(weight, "full_tensor") for weight in group["params"]):
            group["fused"] = False  # there are no fused kernels of every optimizer for weights in pieces
    optimizer.register_load_state_dict_pre_hook(_with_own_kernels)
    return optimizer


def make_groups(spec: JobSpec, optimizer: Optimizer, model: nn.Module) -> None:
    """Part the parameters that `optimizer` trains into the groups that the spec asks for."""
    decay = getattr(spec.optimizer, "weight_decay", None)
    regroup(optimizer, model, spec.param_groups, lr=spec.lr, decay=decay)


def make_schedule(spec: JobSpec, optimizer: Optimizer, *, since: int = 0) -> Schedule:
    """The schedule of the epochs behind `since`; a warm-up that these leave no room for ends one epoch before them."""
    epochs = max(1, spec.epochs - since)
    chosen = spec.scheduler
    if getattr(chosen, "warmup_epochs", 0) >= epochs:
        chosen = chosen.model_copy(update={"warmup_epochs": epochs - 1})
    schedule: Schedule = schedulers.build(chosen, optimizer, epochs, spec.steps_per_epoch)
    return schedule


def make_precision(spec: JobSpec, device: torch.device) -> Precision:
    """The numbers that the model computes in, with nothing scaled yet."""
    return Precision(spec.precision, device.type)


def make_average(spec: JobSpec, model: nn.Module) -> Average:
    """The average of the model's weights that is asked for, before its first step."""
    return Average(model, spec.ema.decay) if spec.ema else Average()


def make_metrics(spec: JobSpec) -> dict[str, Metric]:
    """The metrics by the names that their figures have."""
    shape = spec.data_shape
    counts = (shape.classes, shape.outputs) if shape.multilabel else (shape.classes or shape.vocabulary,)
    return {f"val_{chosen.name}": metrics.build(chosen, *counts) for chosen in spec.metrics}


def make_feed(spec: JobSpec, data: Data, device: torch.device, *, at_once: int) -> Feed:
    """The road that the batches come by, `at_once` samples each; each its own target where the model reconstructs."""
    feed = _road(spec, data, device, at_once=at_once)
    return to_itself(feed) if spec.data_shape.reconstructs else feed


def _road(spec: JobSpec, data: Data, device: torch.device, *, at_once: int) -> Feed:
    workers, pin = spec.loader.num_workers, spec.loader.pin_memory is not False
    if isinstance(data.train, Streamed) and data.train.block > 1:
        return from_blocks(data.train, batch_size=at_once, device=device, workers=workers, pin=pin)
    if workers:
        return from_workers(data.train, batch_size=at_once, device=device, workers=workers, pin=pin)
    if isinstance(data.train, Windowed):
        return functools.partial(data.train.batches, batch_size=at_once, device=device)
    if isinstance(data.train, Samples):
        return in_memory(data.train, batch_size=at_once, device=device)
    return from_thread(data.train, batch_size=at_once, device=device)


def make_watch(spec: JobSpec) -> Watch:
    """What says which epoch is the best, and with early stopping when to end."""
    stopping = spec.early_stopping
    if stopping is None:
        return Watch("val_loss" if spec.val_samples else "train_loss")
    return Watch(stopping.monitor, rises(stopping.monitor), stopping.patience, stopping.min_delta)


def restores_best(spec: JobSpec) -> bool:
    """Whether the weights to leave are the best epoch's."""
    return spec.early_stopping is not None and spec.early_stopping.restore_best


def _with_own_kernels(optimizer: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """A loaded state keeps to the kernels that this device has: it may come from another one."""
    groups = [
        {**saved, **{setting: own[setting] for setting in _KERNELS if setting in own}}
        for own, saved in zip(optimizer.param_groups, state["param_groups"], strict=True)
    ]
    return {**state, "param_groups": groups}
