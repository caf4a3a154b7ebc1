"""Rows that train, validate and test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InvalidData
from core.loading.split import Parts, by_words, draw, in_time, parts
from core.spec import parse_spec
from core.split import WORDS, Sizes, sizes

LABELS = np.repeat([0, 1, 2], [50, 30, 20])
SHARES = st.floats(0, 0.45)


def each(found: Parts) -> Iterator[list[int]]:
    return (rows.tolist() for rows in (found.train, found.validation, found.test))


def is_whole(found: Parts, samples: int) -> bool:
    in_order = all(rows == sorted(rows) for rows in each(found))
    return in_order and sorted(chain(*each(found))) == list(range(samples))


@given(st.integers(1, 300), SHARES, SHARES, st.integers(0, 2**32), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_drawn_parts_are_disjoint_whole_in_order_as_large_as_asked_and_the_same_again(
    samples: int, validation: float, test: float, seed: int, classes: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, samples) if classes else None
    wanted = sizes(samples, validation, test=test)
    found, again = (draw(wanted, seed=seed, classes=labels) for _ in range(2))
    assert is_whole(found, samples)
    assert Sizes(len(found.train), len(found.validation), len(found.test)) == wanted
    assert list(each(found)) == list(each(again))


@given(st.integers(30, 300), SHARES, SHARES, st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_stratified_parts_hold_each_class_by_its_share_up_to_one_sample(
    samples: int, validation: float, test: float, seed: int
) -> None:
    labels = np.random.default_rng(seed).choice(3, samples, p=[0.6, 0.3, 0.1])
    counts = np.bincount(labels, minlength=3)
    found = draw(sizes(samples, validation, test=test), seed=seed, classes=labels)
    assume(min(counts) > 3)  # a class gives its last sample only when no other can
    rest = counts - np.bincount(labels[found.test], minlength=3)
    for rows, whole in ((found.test, counts), (found.validation, rest)):
        share = whole * (len(rows) / whole.sum())
        assert np.abs(np.bincount(labels[rows], minlength=3) - share).max() < 1


@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_test_part_is_the_same_however_much_validates(labels: NDArray[np.int64] | None) -> None:
    few, many = (draw(Sizes(100 - held - 20, held, 20), seed=3, classes=labels) for held in (0, 40))
    assert np.array_equal(few.test, many.test)


def test_another_seed_draws_other_rows() -> None:
    one, other = (draw(Sizes(60, 20, 20), seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.validation, other.validation)
    assert not np.array_equal(one.test, other.test)


def test_a_stratified_split_keeps_the_share_of_each_class() -> None:
    found = draw(Sizes(60, 20, 20), seed=5, classes=LABELS)
    assert np.bincount(LABELS[found.validation]).tolist() == [10, 6, 4]
    assert np.bincount(LABELS[found.test]).tolist() == [10, 6, 4]


def test_a_class_of_one_sample_stays_in_training() -> None:
    labels = np.array([0] * 9 + [1])
    for seed in range(5):
        assert 9 in draw(Sizes(4, 3, 3), seed=seed, classes=labels).train


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200), SHARES, SHARES, st.booleans())
@settings(max_examples=40, deadline=None)
def test_in_time_none_trains_behind_one_that_validates_and_none_of_these_behind_one_that_tests(
    days: list[int], validation: float, test: float, dates: bool
) -> None:
    times: Any = np.array(days, "datetime64[D]") if dates else np.array(days, np.float64)
    wanted = sizes(len(days), validation, test=test)
    found = in_time(times, wanted)
    assert is_whole(found, len(days))
    assert Sizes(len(found.train), len(found.validation), len(found.test)) == wanted
    filled = [times[rows] for rows in (found.train, found.validation, found.test) if len(rows)]
    assert all(before.max() <= behind.min() for before, behind in pairwise(filled))


def test_who_shares_a_moment_keeps_the_datas_order() -> None:
    found = in_time(np.array([5.0, 1.0, 1.0, 1.0, 0.0]), Sizes(2, 2, 1))
    assert list(each(found)) == [[1, 4], [2, 3], [0]]


@pytest.mark.parametrize("times", [np.array([1.0, np.nan]), np.array(["2026-01-01", "NaT"], "datetime64[us]")])
def test_a_sample_without_a_time_is_told(times: Any) -> None:
    with pytest.raises(InvalidData, match="1 samples have no time"):
        in_time(times, Sizes(1, 1, 0))


@given(st.lists(st.sampled_from([(part, word) for part, words in WORDS.items() for word in words]), min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_column_says_the_part_of_each_sample_in_any_case(cells: list[tuple[str, str]]) -> None:
    found = by_words(np.array([f" {word.title()} " for _, word in cells], object))
    assert is_whole(found, len(cells))
    for part in WORDS:
        assert getattr(found, part).tolist() == [row for row, (named, _) in enumerate(cells) if named == part]


@pytest.mark.parametrize("cell", ["holdout", None, 1])
def test_a_cell_that_names_no_part_is_told(cell: Any) -> None:
    with pytest.raises(InvalidData, match="names no part"):
        by_words(np.array(["train", cell], object))


def test_a_spec_draws_from_its_own_seed() -> None:
    spec = parse_spec({"dataset": "iris", "model": "linear", "split": {"test": 0.1, "seed": 7}})
    labels = np.repeat([0, 1, 2], 50)
    assert list(each(parts(spec, labels))) == list(each(draw(Sizes(105, 30, 15), seed=7, classes=labels)))
