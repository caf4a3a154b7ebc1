from __future__ import annotations

import math

import pytest

from core.strokes import Scale, bar, chart, letter, spark


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, ""), (0.5, "██"), (0.53125, "██▏"), (1.0, "████"), (7.0, "████"), (-1.0, "")]
)
def test_a_bar_is_as_long_as_its_share(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


def test_a_sparkline_goes_from_the_least_to_the_greatest() -> None:
    assert spark([1.0, 2.0, 3.0], 10) == "▁▅█"
    assert spark([1.0, math.nan, 2.0], 10) == "▁!█"
    assert spark([None, 3.0, 3.0], 10) == "▅▅"
    assert spark([], 10) == ""
    assert spark([float(number) for number in range(100)], 4) == "▁▃▆█"


def test_a_scale_is_of_equal_ratios_where_numbers_are_far_apart() -> None:
    even, ratios = Scale.of([1.0, 3.0]), Scale.of([0.01, 10.0])
    assert (even.is_log, even.share(2.0)) == (False, 0.5)
    assert ratios.is_log
    assert ratios.share(0.1) == pytest.approx(1 / 3)
    assert Scale.of([0.0, 10.0]).is_log is False
    assert Scale.of([]).share(1.0) == 0.5


def drawn(curve: list[float | None], *, width: int, height: int) -> list[str]:
    finite = [value for value in curve if value is not None and math.isfinite(value)]
    rows = chart(curve, Scale.of(finite), width=width, height=height)
    return ["".join(map(letter, row)) for row in rows]


def test_a_curve_is_one_line_of_dots() -> None:
    assert drawn([4.0, 3.0, 2.0, 1.0], width=2, height=1) == ["⠑⢄"]
    assert drawn([2.0, 2.0, 1.0, 1.0], width=2, height=2) == ["⢹ ", " ⣇"]


def test_a_line_breaks_where_there_is_no_number() -> None:
    whole = drawn([1.0, 1.0, 1.0, 1.0], width=2, height=1)
    assert whole == ["⠤⠤"]
    assert drawn([1.0, math.nan, None, 1.0], width=2, height=1) == ["⠄⠠"]
    assert drawn([1.0, 1.0, None, None], width=2, height=1) == ["⠤ "]


def test_of_many_numbers_in_one_column_the_extremes_stay() -> None:
    curve: list[float | None] = [1.0] * 1000
    curve[500] = 2.0
    rows = drawn(curve, width=4, height=2)
    assert rows[0].strip() != "", "the peak reaches the upper row"
    assert rows[1] == "⣀⣸⣇⣀"
