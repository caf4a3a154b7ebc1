"""Optimizers: `torch.optim`'s, with torch's own defaults; `lr` stands in the spec beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.parts.limits import Betas, Decay, Epsilon, Momentum, Share
from core.registry import optimizers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

Dampening = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Tolerance = Annotated[float, Field(ge=0, le=1)]


def _nesterov_rolls(*, momentum: float, nesterov: bool, dampening: float, **_: Any) -> Iterator[Finding]:
    if nesterov and not momentum:
        yield Finding(("nesterov",), nesterov, "Nesterov's step needs a momentum above 0.", {"momentum": "> 0"})
    if nesterov and dampening:
        yield Finding(("dampening",), dampening, "Nesterov's step allows no dampening.", {"const": 0})


def _sgd_state(*, momentum: float, **_: Any) -> int:
    return bool(momentum)


def _rmsprop_state(*, momentum: float, centered: bool, **_: Any) -> int:
    return 1 + bool(momentum) + centered


def _adam_state(*, amsgrad: bool, **_: Any) -> int:
    return 2 + amsgrad


def _lbfgs_state(*, history_size: int, **_: Any) -> int:
    return 2 * history_size + 4


@optimizers.register(check=_nesterov_rolls, state=_sgd_state)
def sgd(
    weights: Iterable[Tensor],
    lr: float = 1e-3,
    *,
    momentum: Momentum = 0.0,
    dampening: Dampening = 0.0,
    weight_decay: Decay = 0.0,
    nesterov: bool = False,
    fused: bool = True,
) -> Optimizer:
    """Stochastic gradient descent, with momentum if wanted; full batch it is gradient descent.

    Momentum and Nesterov's step as Sutskever et al., 2013, "On the importance of initialization and momentum".
    """
    from torch.optim import SGD

    weights = list(weights)
    return SGD(
        weights,
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        weight_decay=weight_decay,
        nesterov=nesterov,
        fused=(fused and _has_fused(weights, "_fused_sgd_")) or None,
    )


@optimizers.register(state=_rmsprop_state)
def rmsprop(
    weights: Iterable[Tensor],
    lr: float = 1e-2,
    *,
    alpha: Share = 0.99,
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 0.0,
    momentum: Momentum = 0.0,
    centered: bool = False,
) -> Optimizer:
    """Gradients divided by a running mean of their size (Hinton, 2012)."""
    from torch.optim import RMSprop

    return RMSprop(
        weights, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered
    )


@optimizers.register(state=_adam_state)
def adam(
    weights: Iterable[Tensor],
    lr: float = 1e-3,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 0.0,
    amsgrad: bool = False,
    fused: bool = True,
) -> Optimizer:
    """Running means of the gradient and of its square (Kingma & Ba, 2015)."""
    from torch.optim import Adam

    weights = list(weights)
    fast = (fused and _has_fused(weights, "_fused_adam_")) or None
    return Adam(weights, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, fused=fast)


@optimizers.register(state=_adam_state)
def adamw(
    weights: Iterable[Tensor],
    lr: float = 1e-3,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 1e-2,
    amsgrad: bool = False,
    fused: bool = True,
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""
    from torch.optim import AdamW

    weights = list(weights)
    fast = (fused and _has_fused(weights, "_fused_adamw_")) or None
    return AdamW(weights, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, fused=fast)


@optimizers.register(state=1)
def adagrad(
    weights: Iterable[Tensor],
    lr: float = 1e-2,
    *,
    lr_decay: Decay = 0.0,
    weight_decay: Decay = 0.0,
    initial_accumulator_value: Decay = 0.0,
    eps: Epsilon = 1e-10,
    fused: bool = True,
) -> Optimizer:
    """Gradients divided by the root of the sum of their squares (Duchi et al., 2011)."""
    from torch.optim import Adagrad

    weights = list(weights)
    return Adagrad(
        weights,
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
        fused=(fused and _has_fused(weights, "_fused_adagrad_")) or None,
    )


@optimizers.register(state=2)
def adadelta(
    weights: Iterable[Tensor],
    lr: float = 1.0,
    *,
    rho: Share = 0.9,
    eps: Epsilon = 1e-6,
    weight_decay: Decay = 0.0,
) -> Optimizer:
    """Steps scaled by the running sizes of earlier steps and gradients (Zeiler, 2012)."""
    from torch.optim import Adadelta

    return Adadelta(weights, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)


@optimizers.register(state=2)
def nadam(
    weights: Iterable[Tensor],
    lr: float = 2e-3,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 0.0,
    momentum_decay: Decay = 4e-3,
) -> Optimizer:
    """Adam with Nesterov's momentum (Dozat, 2016)."""
    from torch.optim import NAdam

    return NAdam(weights, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)


@optimizers.register(state=2)
def radam(
    weights: Iterable[Tensor],
    lr: float = 1e-3,
    *,
    betas: Betas = (0.9, 0.999),
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 0.0,
) -> Optimizer:
    """Adam with a rectified start (Liu et al., 2020)."""
    from torch.optim import RAdam

    return RAdam(weights, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


@optimizers.register(state=_lbfgs_state, full_batch=True, asks_again=True)
def lbfgs(
    weights: Iterable[Tensor],
    lr: float = 1.0,
    *,
    max_iter: Count = 20,
    max_eval: Count | None = None,
    tolerance_grad: Tolerance = 1e-7,
    tolerance_change: Tolerance = 1e-9,
    history_size: Count = 100,
    line_search_fn: Literal["strong_wolfe"] | None = None,
) -> Optimizer:
    """A quasi-Newton method for full batches; its `step` takes a closure (Liu & Nocedal, 1989)."""
    from torch.optim import LBFGS

    return LBFGS(
        weights,
        lr=lr,
        max_iter=max_iter,
        max_eval=max_eval,
        tolerance_grad=tolerance_grad,
        tolerance_change=tolerance_change,
        history_size=history_size,
        line_search_fn=line_search_fn,
    )


def _has_fused(weights: list[Tensor], kernel: str) -> bool:
    """Whether this torch has the kernel where these weights lie; that differs by version and by device."""
    import torch

    places = {weight.device.type.upper() for weight in weights}
    known = all(torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{kernel}", place) for place in places)
    return known and all(weight.is_floating_point() for weight in weights)
