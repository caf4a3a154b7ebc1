"""Muon for a whole model: its steps for weight matrices, AdamW's for all else, at one learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim._muon import muon
from torch.optim.adamw import adamw


class MuonWithAdamW(Optimizer):
    """Takes each 2-D weight by Muon (Jordan et al., 2024) and every other by AdamW; both as torch computes them."""

    def __init__(self, weights: Iterable[Tensor], **settings: Any) -> None:
        """`settings` are those of torch's Muon, with `betas` and `adam_eps` for the rest."""
        super().__init__(weights, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; the cost that `closure` gave."""
        cost = None
        if closure is not None:
            with torch.enable_grad():
                cost = closure()
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            self._by_muon([weight for weight in moved if weight.ndim == 2], group)
            self._by_adamw([weight for weight in moved if weight.ndim != 2], group)
        return cost

    def _by_muon(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        own = ("lr", "weight_decay", "momentum", "nesterov", "ns_coefficients", "ns_steps", "eps", "adjust_lr_fn")
        muon(
            weights,
            _gradients(weights),
            self._kept(weights, "momentum_buffer"),
            has_complex=False,
            **{name: group[name] for name in own},
        )

    def _by_adamw(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        for weight in weights:
            self.state[weight].setdefault("step", torch.zeros((), dtype=torch.float32))
        adamw(
            weights,
            _gradients(weights),
            self._kept(weights, "exp_avg"),
            self._kept(weights, "exp_avg_sq"),
            [],
            [self.state[weight]["step"] for weight in weights],
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["adam_eps"],
            maximize=False,
        )

    def _kept(self, weights: list[Tensor], name: str) -> list[Tensor]:
        """What is kept under this name for each weight; zeros at first."""
        for weight in weights:
            if name not in self.state[weight]:
                self.state[weight][name] = torch.zeros_like(weight)
        return [self.state[weight][name] for weight in weights]


def _gradients(weights: list[Tensor]) -> list[Tensor]:
    return [weight.grad for weight in weights if weight.grad is not None]
