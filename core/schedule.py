"""The learning rate over a run: a linear warm-up in front, then a schedule that steps by batch or by epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer

Step = Callable[[float], None]
"""Move the main schedule on; it is given the cost, which most ignore."""


class Schedule:
    """Sets the optimizer's learning rates; the loop tells it of each batch and of each epoch.

    Step k of a warm-up of n steps runs at (k + 1) / n of the rate with which the main schedule starts (Goyal et al.,
    2017, "Accurate, Large Minibatch SGD"); what follows the warm-up is the main schedule from its own beginning. `main`
    is anything with `state_dict` and `load_state_dict`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        warmup: tuple[int, int] = (0, 0),
        main: Any = None,
        by_batch: Step | None = None,
        by_epoch: Step | None = None,
    ) -> None:
        self._optimizer, self._main = optimizer, main
        self._by_batch, self._by_epoch = by_batch, by_epoch
        self._warmup_epochs, self._warmup_steps = warmup
        self._batches = self._epochs = 0
        self._full = self._rates()
        self._lead()
        self._warm_up()

    def step_batch(self) -> None:
        """An optimizer step was made."""
        self._batches += 1
        if self._batches <= self._warmup_steps:
            self._warm_up()
        elif self._by_batch:
            self._by_batch(0.0)
            self._lead()

    def step_epoch(self, cost: float) -> None:
        """An epoch ended; `cost` is the mean loss on the validation part, or on the training part without one."""
        self._epochs += 1
        if self._epochs > self._warmup_epochs and self._by_epoch:
            self._by_epoch(cost)
            self._lead()

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands, as plain values."""
        counters = {"batches": self._batches, "epochs": self._epochs, "full": self._full}
        return {**counters, "main": self._main.state_dict() if self._main else None}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where `state` says; the optimizer's own state brings back the rates."""
        self._batches, self._epochs, self._full = state["batches"], state["epochs"], list(state["full"])
        if self._main:
            self._main.load_state_dict(state["main"])
        if self._batches:
            # torch would warn of a schedule that moves before the optimizer: steps were made, only not by this object
            self._optimizer._opt_called = True  # type: ignore[attr-defined]

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self._optimizer.param_groups]

    def _warm_up(self) -> None:
        if not self._warmup_steps:
            return
        share = min(self._batches + 1, self._warmup_steps) / self._warmup_steps
        for group, full in zip(self._optimizer.param_groups, self._full, strict=True):
            group["lr"] = full * share
        self._lead()

    def _lead(self) -> None:
        """Let the groups that a spec parted keep their share of the first one's rate, to which the schedule is set."""
        first, *others = self._optimizer.param_groups
        for group in others:
            if (scale := group.get("lr_scale")) is not None:
                group["lr"] = first["lr"] * scale
