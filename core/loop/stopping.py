"""Which epoch is the best so far, and when the cost has stopped falling."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.job import EpochRow, Reason


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
        cost = self._cost(row)
        self._waited += 1
        if cost < self._mark - self.min_delta:
            self._mark, self._waited = cost, 0
        if better := cost < self._best_cost:
            self._best_cost, self.best = cost, row
        return better

    @property
    def reason(self) -> Reason | None:
        """Why the run should end now, or None: `converged` for the training cost, `early_stopped` for the others."""
        if self.patience is None or self._waited < self.patience:
            return None
        return Reason.CONVERGED if self.monitor == "train_loss" else Reason.EARLY_STOPPED

    def _cost(self, row: EpochRow) -> float:
        figure = row.figures().get(self.monitor, math.nan)  # a diverged epoch has no validation figures
        return -figure if self.rises else figure
