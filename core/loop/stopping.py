"""Which epochs are the best so far, and when the cost has stopped falling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.job import EpochRow, Reason
from core.loop.position import row_from, row_state
from core.registry import rises


@dataclass
class Watch:
    """Follows the monitored figure from epoch to epoch.

    An epoch is the best when its figure is better than every earlier one, by however little. Patience counts the
    epochs since the figure last got better by more than `min_delta` (Prechelt, 1998, "Early Stopping - But When?"):
    so many small gains count once they add up to a significant one. A NaN is never better.
    """

    monitor: str
    rises: bool = False
    """Whether a larger figure is a better one."""
    patience: int | None = None
    """Epochs without a significant gain after which the run ends; None: never."""
    min_delta: float = 0.0
    best: EpochRow | None = None
    _best_cost: float = math.inf
    _mark: float = math.inf
    _waited: int = 0

    def see(self, row: EpochRow) -> bool:
        """Take in an epoch's figures; whether it is the best so far."""
        cost = self.cost(row)
        self._waited += 1
        if cost < self._mark - self.min_delta:
            self._mark, self._waited = cost, 0
        if better := cost < self._best_cost:
            self._best_cost, self.best = cost, row
        return better

    def cost(self, row: EpochRow) -> float:
        """The monitored figure of `row`, turned so that less is better; NaN where it has none."""
        return _cost(row, self.monitor, rises=self.rises)

    def wait_anew(self) -> None:
        """Count the epochs without a gain from here."""
        self._waited = 0

    @property
    def reason(self) -> Reason | None:
        """Why the run should end now, or None: `converged` for the training cost, `early_stopped` for the others."""
        if self.patience is None or self._waited < self.patience:
            return None
        return Reason.CONVERGED if self.monitor == "train_loss" else Reason.EARLY_STOPPED

    def state_dict(self) -> dict[str, Any]:
        """What was seen, as plain values; what to watch for is the spec's."""
        costs = {"best_cost": self._best_cost, "mark": self._mark, "waited": self._waited}
        return {**costs, "best": row_state(self.best)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have seen what `state` says."""
        self._best_cost, self._mark, self._waited = state["best_cost"], state["mark"], state["waited"]
        self.best = row_from(state["best"])


@dataclass
class Leaders:
    """The `count` lowest costs so far, by the figure that tells which checkpoints are the best."""

    monitor: str
    count: int
    _costs: list[float] = field(default_factory=list)

    def see(self, row: EpochRow) -> bool:
        """Take in an epoch's figures; whether it is among the best so far."""
        cost = self.cost(row)
        if cost is None or sum(one <= cost for one in self._costs) >= self.count:
            return False
        self._costs = sorted([*self._costs, cost])[: self.count]
        return True

    def cost(self, row: EpochRow) -> float | None:
        """The monitored figure of `row`, turned so that less is better; None where it is no number."""
        cost = _cost(row, self.monitor, rises=rises(self.monitor))
        return cost if math.isfinite(cost) else None

    def state_dict(self) -> dict[str, Any]:
        """What was seen, as plain values."""
        return {"monitor": self.monitor, "costs": self._costs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have seen what `state` says, if that was of the same figure."""
        self._costs = list(state["costs"]) if state["monitor"] == self.monitor else []


def _cost(row: EpochRow, monitor: str, *, rises: bool) -> float:
    figure = row.figures().get(monitor, math.nan)  # a diverged epoch has no validation figures
    return -figure if rises else figure
