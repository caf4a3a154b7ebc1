"""The moving average of a run's weights, which is judged and kept in their stead where the spec asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Average:
    """The exponential moving average of a model's weights and buffers (Polyak & Juditsky, 1992), or none.

    Behind each step it becomes `decay` times itself plus `1 - decay` times the model, from the weights behind the first
    step on; buffers that count are copied. `torch.optim.swa_utils.AveragedModel`.
    """

    def __init__(self, model: nn.Module | None = None, decay: float | None = None) -> None:
        self._averaged: AveragedModel | None = None
        if model is not None and decay is not None:
            mean = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
            self._averaged = AveragedModel(model, multi_avg_fn=mean, use_buffers=True)

    @property
    def model(self) -> nn.Module | None:
        """A model of its own with the averaged weights; None where none are averaged."""
        return self._averaged.module if self._averaged else None

    def see(self, model: nn.Module) -> None:
        """Take in the weights as a step left them."""
        if self._averaged is None:
            return
        self._averaged.update_parameters(model)
        for mine, theirs in zip(self._averaged.module.buffers(), model.buffers(), strict=True):
            if not mine.is_floating_point():
                mine.copy_(theirs)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged weights, and of how many steps; empty where none are averaged."""
        return dict(self._averaged.state_dict()) if self._averaged else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Be the average in `state`."""
        if self._averaged:
            self._averaged.load_state_dict(state)
