"""Schedulers: how the learning rate moves; each may begin with epochs of linear warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.parts.limits import Epochs, Factor, Share, Warmup
from core.registry import schedulers
from core.schedule import Schedule

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Milestones = Annotated[tuple[Epochs, ...], Field(strict=False, min_length=1, max_length=1_000)]
LowestRate = Annotated[float, Field(ge=0, le=1_000_000)]
Divisor = Annotated[float, Field(ge=1, le=1e12)]
Cut = Annotated[float, Field(ge=0, lt=1)]
Threshold = Annotated[float, Field(ge=0, le=1_000)]
Wait = Annotated[int, Field(ge=0, le=100_000)]


@schedulers.register
def constant(optimizer: Optimizer, epochs: int, steps: int, *, warmup_epochs: Warmup = 0) -> Schedule:
    """The learning rate stays as it is."""
    return Schedule(optimizer, warmup=(warmup_epochs, warmup_epochs * steps))


@schedulers.register
def step(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    step_size: Epochs = 10,
    gamma: Factor = 0.1,
    warmup_epochs: Warmup = 0,
) -> Schedule:
    """The learning rate is multiplied by `gamma` every `step_size` epochs.

    `torch.optim.lr_scheduler.StepLR`.
    """
    from torch.optim.lr_scheduler import StepLR

    return _by_epoch(optimizer, StepLR(optimizer, step_size, gamma), warmup_epochs, steps=steps)


@schedulers.register
def multistep(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    milestones: Milestones,
    gamma: Factor = 0.1,
    warmup_epochs: Warmup = 0,
) -> Schedule:
    """The learning rate is multiplied by `gamma` after each of the epochs in `milestones`.

    `torch.optim.lr_scheduler.MultiStepLR`, as He et al., 2016, train residual networks.
    """
    from torch.optim.lr_scheduler import MultiStepLR

    return _by_epoch(optimizer, MultiStepLR(optimizer, sorted(milestones), gamma), warmup_epochs, steps=steps)


@schedulers.register
def exponential(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    gamma: Factor = 0.95,
    warmup_epochs: Warmup = 0,
) -> Schedule:
    """The learning rate is multiplied by `gamma` every epoch.

    `torch.optim.lr_scheduler.ExponentialLR`.
    """
    from torch.optim.lr_scheduler import ExponentialLR

    return _by_epoch(optimizer, ExponentialLR(optimizer, gamma), warmup_epochs, steps=steps)


@schedulers.register
def cosine(
    optimizer: Optimizer, epochs: int, steps: int, *, min_lr: LowestRate = 0.0, warmup_epochs: Warmup = 0
) -> Schedule:
    """The learning rate falls to `min_lr` along half a cosine (Loshchilov & Hutter, 2017).

    `torch.optim.lr_scheduler.CosineAnnealingLR` over the epochs after the warm-up, without restarts.
    """
    from torch.optim.lr_scheduler import CosineAnnealingLR

    main = CosineAnnealingLR(optimizer, T_max=epochs - warmup_epochs, eta_min=min_lr)
    return _by_epoch(optimizer, main, warmup_epochs, steps=steps)


@schedulers.register
def one_cycle(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    pct_start: Share = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    div_factor: Divisor = 25.0,
    final_div_factor: Divisor = 10_000.0,
    warmup_epochs: Warmup = 0,
) -> Schedule:
    """The learning rate rises to lr and falls far below its start, batch by batch (Smith & Topin, 2018).

    `torch.optim.lr_scheduler.OneCycleLR` over the batches after the warm-up.
    """
    from torch.optim.lr_scheduler import OneCycleLR

    total = (epochs - warmup_epochs) * steps
    main = OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=total,
        pct_start=pct_start if pct_start * total > 1 else 0.0,  # a rise of exactly one step divides by zero in torch
        anneal_strategy=anneal_strategy,
        cycle_momentum=False,  # the momentum of the spec is the momentum of the run
        div_factor=div_factor,
        final_div_factor=final_div_factor,
    )

    def turn(_: float) -> None:
        if main.last_epoch < total - 1:  # torch counts the batch after the last one as too many
            main.step()

    return Schedule(optimizer, warmup=(warmup_epochs, warmup_epochs * steps), main=main, by_batch=turn)


@schedulers.register
def plateau(
    optimizer: Optimizer,
    epochs: int,
    steps: int,
    *,
    factor: Cut = 0.1,
    patience: Wait = 10,
    threshold: Threshold = 1e-4,
    cooldown: Wait = 0,
    min_lr: LowestRate = 0.0,
    warmup_epochs: Warmup = 0,
) -> Schedule:
    """The learning rate is multiplied by `factor` when the cost has not fallen for more than `patience` epochs.

    `torch.optim.lr_scheduler.ReduceLROnPlateau`, whose `threshold` is relative to the best cost.
    """
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    main = ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience, threshold=threshold, cooldown=cooldown, min_lr=min_lr
    )
    return Schedule(optimizer, warmup=(warmup_epochs, warmup_epochs * steps), main=main, by_epoch=main.step)


def _by_epoch(optimizer: Optimizer, main: LRScheduler, warmup_epochs: int, *, steps: int) -> Schedule:
    return Schedule(optimizer, warmup=(warmup_epochs, warmup_epochs * steps), main=main, by_epoch=lambda _: main.step())
