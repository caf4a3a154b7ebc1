"""The optimizer `signum`: all that it knows is in `state` and `param_groups`, so a run goes on exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Signum(Optimizer):
    """Moves each weight by `lr` against the sign of its gradient's running mean."""

    def __init__(self, weights: Iterable[Tensor], *, lr: float, momentum: float) -> None:
        """`momentum` is the share of the running mean that stays at each step."""
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; `closure` leaves the gradients and gives the cost, which is returned."""
        cost = None
        if closure is not None:
            with torch.enable_grad():
                cost = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                    mean.lerp_(weight.grad, 1 - group["momentum"])
                    weight.sub_(mean.sign(), alpha=group["lr"])
        return cost
