"""Thinning: the ends and the extremes stay, in order, and never more than asked."""

from __future__ import annotations

import math
import random

import pytest

from api.thin import places, thinned
from core.job import EpochRow
from tests.api.playing import epoch


def _rows(*losses: float) -> list[EpochRow]:
    return [epoch(number + 1, loss=loss).row for number, loss in enumerate(losses)]


@pytest.mark.parametrize("points", [2, 3, 4, 5, 10, 99, 100, 1000])
def test_never_more_than_asked_and_both_ends(points: int) -> None:
    rows = _rows(*(1 / (number + 1) for number in range(100)))

    kept = [row.epoch for row in thinned(rows, points)]
    assert len(kept) <= points
    assert (kept[0], kept[-1]) == (1, 100)
    assert kept == sorted(set(kept))


def test_a_spike_and_a_divergence_stay() -> None:
    losses = [1.0] * 1000
    losses[500], losses[700] = 50.0, math.nan

    kept = {row.epoch for row in thinned(_rows(*losses), 20)}
    assert {501, 701} <= kept


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_rows_stay_as_they_are(count: int) -> None:
    rows = _rows(*[1.0] * count)

    assert thinned(rows, 2) == rows


def _curve(kept: list[int], curve: list[float]) -> list[float]:
    return [curve[place] for place in kept]


@pytest.mark.parametrize("points", [6, 10, 50, 500])
def test_each_stretch_keeps_the_least_and_the_greatest_of_each_curve(points: int) -> None:
    draw = random.Random(points)
    curves = [[draw.random() for _ in range(1000)] for _ in range(2)]
    kept = places(curves, points)
    stretches = (points - 2) // 4
    assert len(kept) <= points
    for index in range(stretches):
        begin, end = (1 + 998 * place // stretches for place in (index, index + 1))
        within = [place for place in kept if begin <= place < end]
        for curve in curves:
            assert min(curve[begin:end]) in _curve(within, curve)
            assert max(curve[begin:end]) in _curve(within, curve)


def test_a_gap_stays_a_gap_and_hides_no_peak_beside_it() -> None:
    train, val = [1.0] * 400, [2.0] * 400
    train[200], val[201], val[202], train[203] = math.nan, 9.0, 0.5, math.inf
    kept = places([val, train], 30)
    assert {200, 201, 202} <= set(kept)
    assert len(kept) <= 30


def test_a_curve_that_is_not_there_takes_no_place() -> None:
    train = [float(number % 7) for number in range(1000)]
    assert places([[None] * 1000, train], 100) == places([train], 100)
    assert places([[None] * 1000], 10) == [0, 999]
    assert places([], 10) == []


def test_with_few_points_the_first_curve_goes_before() -> None:
    val = [1.0] * 100
    val[40] = 5.0
    assert 40 in places([val, [float(number) for number in range(100)]], 4)
