"""A learning rate found by a range test: mini-batches under a rate that grows, and the rule that reads one off them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.errors import InvalidSpec
from core.loading.samples import Samples
from core.loop.run import Run
from core.loop.step import take_step

STEPS = 100
LOWEST, HIGHEST = 1e-7, 10.0
"""The rates of the first and of the last mini-batch; those between grow by the same factor each."""
LIMIT_S = 600.0
"""It decides whether a rate is found, never which: that is a function of spec and data."""
_SMOOTHING = 0.9
_BLOWN_UP = 4.0
"""A test ends where the smoothed cost is so many times the lowest: it falls no more."""
_AROUND = 4
"""The slope at a rate is taken over so many mini-batches before it and behind it: half a decade in all."""
_FALL = 0.01
"""The share of the first cost by which it must have fallen: less is the noise between batches."""
_WAYS = "Give lr a number"


@dataclass
class Curve:
    """The smoothed cost behind each mini-batch of a range test, and the learning rate of that."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)


def range_test(run: Run, *, clock: Callable[[], float] = time.monotonic) -> Curve:
    """Train `run`, which was made with the lowest rate and is of no use afterwards, and note what each rate costs.

    Smith, 2017, "Cyclical Learning Rates for Training Neural Networks". The cost is smoothed exponentially, without
    bias. It ends early where the cost blows up. Raises InvalidSpec when it takes too long.
    """
    curve, began, mean = Curve(), clock(), 0.0
    first = [group["lr"] for group in run.optimizer.param_groups]
    run.model.train()
    for step, batch in zip(range(STEPS), _without_end(run), strict=False):
        growth = (HIGHEST / LOWEST) ** (step / (STEPS - 1))
        for group, rate in zip(run.optimizer.param_groups, first, strict=True):
            group["lr"] = rate * growth
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * take_step(run, batch).item()
        cost = mean / (1 - _SMOOTHING ** (step + 1))
        if not cost < min(curve.costs, default=cost) + (_BLOWN_UP - 1) * abs(min(curve.costs, default=math.inf)):
            break
        curve.rates.append(LOWEST * growth)
        curve.costs.append(cost)
        if clock() - began > LIMIT_S:
            told = f"The test of learning rates was at mini-batch {step + 1} of {STEPS} after {LIMIT_S:g} s."
            raise InvalidSpec(told, hint=f"{_WAYS}.", param="/lr")
    return curve


def rate_by(curve: Curve) -> float:
    """The learning rate that a range test speaks for, to three digits.

    It is the geometric mean of the two that fastai's finder suggests (Howard & Gugger, 2020, "fastai: A Layered API for
    Deep Learning"): a tenth of the rate at which the cost is lowest, and the rate at which it falls most steeply before
    that. Raises InvalidSpec when the cost never falls.
    """
    costs = curve.costs
    lowest = min(range(len(costs)), key=costs.__getitem__, default=0)
    beginning = costs[: max(1, min(lowest, STEPS // 10))]
    if not beginning or math.fsum(beginning) / len(beginning) - costs[lowest] <= _FALL * abs(costs[0]):
        told = f"At no learning rate from {LOWEST:g} to {HIGHEST:g} did the cost of {STEPS} mini-batches fall."
        raise InvalidSpec(
            told, hint=f"{_WAYS}; see that the data is scaled and the target can be learned.", param="/lr"
        )
    steepest = max(range(lowest + 1), key=lambda place: _slope(costs, place, lowest))
    return float(f"{math.sqrt(curve.rates[lowest] / 10 * curve.rates[steepest]):.3g}")


def _slope(costs: list[float], place: int, lowest: int) -> float:
    """By how much the cost falls around a place, within what leads to the lowest."""
    return costs[max(0, place - _AROUND)] - costs[min(lowest, place + _AROUND)]


def _without_end(run: Run) -> Iterator[Samples]:
    """The batches of one epoch after another, as the run itself would see them."""
    while True:
        yield from run.batches()
        run.position.epoch += 1
