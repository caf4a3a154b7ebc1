"""A range test of learning rates, and the rule that reads one off it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from core.errors import InvalidSpec
from core.loading import data
from core.loop.assembly import assemble
from core.loop.rate_test import HIGHEST, LIMIT_S, LOWEST, STEPS, Curve, range_test, rate_by
from core.loop.run import Run
from core.spec import parse_spec

RATES = [LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1)) for step in range(STEPS)]


def _run(**fields: Any) -> Run:
    spec = parse_spec({"dataset": "iris", "model": "linear", "lr": LOWEST, **fields})
    return assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))


def _curve(cost: Callable[[float], float]) -> Curve:
    return Curve(RATES, [cost(math.log10(rate)) for rate in RATES])


def test_the_rates_grow_by_the_same_factor_over_several_epochs() -> None:
    run = _run(optimizer="sgd")
    curve = range_test(run)
    assert curve.rates == pytest.approx(RATES)
    assert run.position.epoch > 20, "an epoch has 4 batches"
    assert curve.costs[-1] < 0.7 * curve.costs[0]


def test_a_test_ends_where_the_cost_blows_up() -> None:
    curve = range_test(_run(dataset="diabetes", optimizer="sgd"))
    assert len(curve.rates) < STEPS
    assert all(map(math.isfinite, curve.costs))


def test_the_rate_is_the_mean_of_the_two_that_fastai_suggests() -> None:
    # flat, then falling most steeply around 1e-3, lowest at 1e-1, and up again
    curve = _curve(lambda power: 1 - 1 / (1 + math.exp(-4 * (power + 3))) + max(0, power + 1) ** 2)
    assert rate_by(curve) == pytest.approx(math.sqrt(0.1 / 10 * 1e-3), rel=0.3)


def test_a_rate_has_three_digits() -> None:
    rate = rate_by(_curve(lambda power: 1 - power / 10))
    assert rate == float(f"{rate:.3g}")


@pytest.mark.parametrize(
    "curve", [Curve(), _curve(lambda _: 1.0), _curve(lambda power: 10 + power), Curve(RATES[:1], [2.0])]
)
def test_no_rate_is_found_where_the_cost_never_falls(curve: Curve) -> None:
    with pytest.raises(InvalidSpec, match="At no learning rate") as caught:
        rate_by(curve)
    assert caught.value.param == "/lr"


def test_a_test_that_takes_too_long_is_told_of_and_finds_nothing() -> None:
    hours = itertools.count(step=LIMIT_S / 3)
    with pytest.raises(InvalidSpec, match="mini-batch 4 of 100") as caught:
        range_test(_run(), clock=lambda: next(hours))
    assert caught.value.param == "/lr"
