"""Thinning: the ends and the extremes stay, in order, and never more than asked."""

from __future__ import annotations

import math

import pytest

from api.thin import thinned
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
