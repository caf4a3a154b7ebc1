"""Rounds: the trainings of a job that follow one another, each begun anew, and what they came to together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core import wire
from core.job import EpochRow, Reason
from core.loop.position import row_from
from core.loop.stopping import Watch


@dataclass(frozen=True)
class Ended:
    """What a round came to: the epoch whose weights it leaves, its best, its last, and why it ended early if it did."""

    kept: EpochRow
    best: EpochRow | None
    last: EpochRow
    reason: Reason | None


class Rounds:
    """The rounds that have ended, in their order."""

    def __init__(self) -> None:
        self.ended: list[Ended] = []

    def chosen(self, watch: Watch) -> int:
        """The place of the round that left the best weights, by the figure that `watch` follows."""
        costs = [watch.cost(one.kept) for one in self.ended]
        return min(range(len(costs)), key=lambda place: (math.isnan(costs[place]), costs[place]))

    def best(self, watch: Watch) -> EpochRow | None:
        """The best epoch of the job so far, with that of the round which `watch` follows; the first of equals."""
        rows = [row for row in (*(one.best for one in self.ended), watch.best) if row is not None]
        return min(rows, key=watch.cost, default=None)

    @property
    def reason(self) -> Reason:
        """Why the job ends: early, when every round did."""
        reasons = [one.reason or Reason.COMPLETED for one in self.ended]
        return Reason.COMPLETED if Reason.COMPLETED in reasons else reasons[-1]

    def summary(self) -> dict[str, Any]:
        """The figures of each round's kept epoch, their mean and standard deviation (divisor n - 1), for JSON.

        Of several seeds, whose figures are drawn independently, there is the `margin` of each mean too: half the width
        of its 95 % confidence interval, by Student's t ("The Probable Error of a Mean", 1908).
        """
        rows = [{name: value for name, value in one.kept.figures().items() if name != "lr"} for one in self.ended]
        named = [
            wire.finite({**one.kept.round(), "epoch": one.kept.epoch, **row})
            for one, row in zip(self.ended, rows, strict=True)
        ]
        columns = {name: [row.get(name, math.nan) for row in rows] for name in rows[0]}
        means = {name: _mean(figures) for name, figures in columns.items()}
        spreads = {name: _spread(figures, means[name]) for name, figures in columns.items()}
        summary = {"figures": named, "mean": wire.finite(means), "std": wire.finite(spreads)}
        if self.ended[0].kept.seed is None:
            return summary
        return {**summary, "margin": wire.finite(_margins(spreads, len(rows)))}

    def state_dict(self) -> dict[str, Any]:
        """The ended rounds as plain values."""
        # an enum is no plain value to torch.load(weights_only=True), which would refuse the whole checkpoint
        return {"ended": [{**asdict(one), "reason": one.reason and one.reason.value} for one in self.ended]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have seen what `state` says."""
        self.ended = [_ended(one) for one in state["ended"]]


def _ended(state: Mapping[str, Any]) -> Ended:
    rows = {name: row_from(state[name]) for name in ("kept", "best", "last")}
    return Ended(**rows, reason=state["reason"] and Reason(state["reason"]))  # type: ignore[arg-type]


def _mean(figures: list[float]) -> float:
    return math.fsum(figures) / len(figures) if all(map(math.isfinite, figures)) else math.nan


def _spread(figures: list[float], mean: float) -> float:
    if not math.isfinite(mean):
        return math.nan
    return math.sqrt(math.fsum((figure - mean) ** 2 for figure in figures) / max(1, len(figures) - 1))


def _margins(spreads: Mapping[str, float], count: int) -> dict[str, float]:
    """What to add to each mean of `count` figures, and to take from it, for its 95 % confidence interval."""
    from scipy.special import stdtrit

    reach = float(stdtrit(count - 1, 0.975)) / math.sqrt(count)
    return {name: reach * spread for name, spread in spreads.items()}
