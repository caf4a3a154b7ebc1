"""Whole groups dealt to parts: by arithmetic, near the shares, none of the parts empty."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.groups import deal, dealt_sizes, read, rows, told
from core.split import fold_sizes, quotas, sizes

GROUPS = st.dictionaries(st.integers(1, 40), st.integers(1, 30), min_size=1, max_size=8)
SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.3])


def test_groups_of_one_row_are_dealt_as_rows_are() -> None:
    assert dealt_sizes("1x150", validation=0.2, test=0.1, folds=None) == (sizes(150, 0.2, test=0.1),)
    assert dealt_sizes("1x100", validation=None, test=0.13, folds=7) == fold_sizes(100, 7, test=0.13)


def test_a_share_is_met_as_near_as_whole_groups_allow() -> None:
    assert dealt_sizes("10x10", validation=0.2, test=0.1, folds=None) == ((70, 20, 10),)
    assert dealt_sizes("10x10", validation=0.24, test=0, folds=None) == ((80, 20, 0),)
    assert dealt_sizes("10x10", validation=0.26, test=0, folds=None) == ((70, 30, 0),)
    assert dealt_sizes("1x1 99x1", validation=0.9, test=0, folds=None) == ((1, 99, 0),)
    assert dealt_sizes("50x2", validation=0.01, test=0, folds=None) == ((50, 50, 0),), "each part has a group"


def test_groups_of_every_size_give_alike() -> None:
    dealt = deal("1x100 10x10", validation=0.2, test=0, folds=None)
    assert dealt.validation == ({1: 20, 10: 2},)
    folds = deal("1x100 10x10", validation=None, test=0, folds=5).validation
    assert folds == ({1: 20, 10: 2},) * 5


@pytest.mark.parametrize(
    ("text", "validation", "test", "folds"),
    [("5x2", 0.2, 0.2, None), ("5x1", 0.2, 0.0, None), ("5x3", None, 0.1, 3), ("5x9", 0.6, 0.5, None)],
)
def test_too_few_groups_or_too_large_shares_are_not_dealt(
    text: str, validation: float | None, test: float, folds: int | None
) -> None:
    with pytest.raises(ValueError, match=text):
        deal(text, validation=validation, test=test, folds=folds)


@given(groups=GROUPS, validation=SHARES, test=st.one_of(st.just(0.0), SHARES))
def test_every_part_has_a_group_and_none_is_in_two(groups: dict[int, int], validation: float, test: float) -> None:
    text = told(groups)
    assert read(text) == groups
    if sum(groups.values()) < 2 + (test > 0):
        return
    dealt = deal(text, validation=validation, test=test, folds=None)
    (made,) = dealt_sizes(text, validation=validation, test=test, folds=None)
    given_away = Counter(dealt.test) + Counter(dealt.validation[0])
    assert all(groups[size] >= count for size, count in given_away.items())
    assert sum(made) == rows(groups)
    assert made.train > 0
    assert made.validation > 0
    assert (made.test > 0) == (test > 0)
    wanted = sizes(rows(groups), validation, test=test)
    assert abs(made.test - wanted.test) <= max(groups)
    assert deal(text, validation=0.01, test=test, folds=None).test == dealt.test, "the test part rests on its own share"


@given(groups=GROUPS, folds=st.integers(2, 6), test=st.one_of(st.just(0.0), SHARES))
def test_folds_hold_every_group_once_and_are_about_as_large(groups: dict[int, int], folds: int, test: float) -> None:
    if sum(groups.values()) < folds + (test > 0):
        return
    dealt = deal(told(groups), validation=None, test=test, folds=folds)
    together = Counter(dealt.test)
    for one in dealt.validation:
        together += Counter(one)
    assert dict(together) == groups
    held = [rows(one) for one in dealt.validation]
    assert min(held) > 0
    assert max(held) - min(held) <= max(groups)


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=6), share=st.floats(0, 1))
def test_quotas_take_as_many_as_wanted_in_proportion(counts: list[int], share: float) -> None:
    wanted = int(sum(counts) * share)
    takes = quotas(counts, wanted)
    assert sum(takes) == wanted
    for count, take in zip(counts, takes, strict=True):
        assert abs(take - count * wanted / sum(counts)) < 2
        assert take <= count
