"""The optimizers of `torch.optim` that are asked for less often, with torch's own defaults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.parts.limits import Betas, Decay, Epsilon, Momentum, Share
from core.registry import optimizers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

Shrinking = Annotated[float, Field(gt=0, lt=1)]
Growing = Annotated[float, Field(gt=1, le=100)]
StepSize = Annotated[float, Field(gt=0, le=1_000_000)]

QUINTIC = (3.4445, -4.775, 2.0315)
"""The coefficients of Muon's Newton-Schulz iteration, as its authors and torch have them."""


@optimizers.register(state=2)
def adamax(
    weights: Iterable[Tensor],
    lr: float = 2e-3,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 0.0,
) -> Optimizer:
    """Adam with the infinity norm (Kingma & Ba, 2015)."""
    from torch.optim import Adamax

    return Adamax(weights, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@optimizers.register(state=1)
def asgd(
    weights: Iterable[Tensor],
    lr: float = 1e-2,
    *,
    lambd: Decay = 1e-4,
    alpha: Share = 0.75,
    t0: Annotated[float, Field(ge=0, le=1e12)] = 1e6,
    weight_decay: Decay = 0.0,
) -> Optimizer:
    """Gradient descent with a falling rate that keeps the weights' average beside them (Polyak & Juditsky, 1992).

    As in torch the trained weights are the last ones, not their average.
    """
    from torch.optim import ASGD

    return ASGD(weights, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay)


@optimizers.register(state=2, full_batch=True)
def rprop(
    weights: Iterable[Tensor],
    lr: float = 1e-2,
    *,
    etas: Annotated[tuple[Shrinking, Growing], Field(strict=False)] = (0.5, 1.2),
    step_sizes: Annotated[tuple[StepSize, StepSize], Field(strict=False)] = (1e-6, 50.0),
) -> Optimizer:
    """Resilient propagation: steps by the gradient's sign alone, for full batches (Riedmiller & Braun, 1993).

    A step grows while its sign stays and shrinks when it turns, so batches that differ would only shrink it.
    """
    from torch.optim import Rprop

    return Rprop(weights, lr=lr, etas=etas, step_sizes=step_sizes)


@optimizers.register(state=1)
def adafactor(
    weights: Iterable[Tensor],
    lr: float = 1e-2,
    *,
    beta2_decay: Annotated[float, Field(ge=-10, le=0)] = -0.8,
    eps: Annotated[tuple[Epsilon | None, Epsilon], Field(strict=False)] = (None, 1e-3),
    d: Annotated[float, Field(ge=1, le=1_000)] = 1.0,
    weight_decay: Decay = 0.0,
) -> Optimizer:
    """Adam's second moments as a row and a column for each matrix (Shazeer & Stern, 2018)."""
    from torch.optim import Adafactor

    return Adafactor(weights, lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay)


@optimizers.register(state=2)
def muon(
    weights: Iterable[Tensor],
    lr: float = 1e-3,
    *,
    weight_decay: Decay = 0.1,
    momentum: Momentum = 0.95,
    nesterov: bool = True,
    eps: Epsilon = 1e-7,
    ns_steps: Annotated[int, Field(ge=1, le=99)] = 5,
    adjust_lr_fn: Literal["original", "match_rms_adamw"] = "match_rms_adamw",
    betas: Betas = (0.9, 0.999),
    adam_eps: Epsilon = 1e-8,
) -> Optimizer:
    """Momentum made orthogonal for weight matrices (Jordan et al., 2024), and AdamW for all other weights.

    `betas` and `adam_eps` are AdamW's. With `match_rms_adamw` (Liu et al., 2025, where torch takes "original") steps of
    matrices are as large as AdamW's, so that one `lr` serves both. Embeddings are matrices too.
    """
    from core.muon import MuonWithAdamW

    return MuonWithAdamW(
        weights,
        lr=lr,
        weight_decay=weight_decay,
        momentum=momentum,
        nesterov=nesterov,
        ns_coefficients=QUINTIC,
        ns_steps=ns_steps,
        eps=eps,
        adjust_lr_fn=adjust_lr_fn,
        betas=betas,
        adam_eps=adam_eps,
    )
