"""Training and validation rows."""

import numpy as np
import pytest

from core.loop.split import draw

LABELS = np.repeat([0, 1, 2], [50, 30, 20])


def test_the_parts_are_disjoint_whole_and_in_the_datas_own_order() -> None:
    train, held = draw(100, 20, seed=0)
    assert len(held) == 20
    assert sorted([*train, *held]) == list(range(100))
    assert list(train) == sorted(train)


def test_the_same_seed_draws_the_same_rows_and_another_draws_others() -> None:
    again, other = draw(100, 20, seed=0)[1], draw(100, 20, seed=1)[1]
    assert np.array_equal(draw(100, 20, seed=0)[1], again)
    assert not np.array_equal(again, other)


def test_no_validation_leaves_everything_to_training() -> None:
    train, held = draw(7, 0, seed=0)
    assert (len(train), len(held)) == (7, 0)


def test_a_stratified_split_keeps_the_share_of_each_class() -> None:
    _, held = draw(100, 20, seed=5, classes=LABELS)
    assert np.bincount(LABELS[held]).tolist() == [10, 6, 4]


@pytest.mark.parametrize("validation", range(0, 100, 7))
def test_a_stratified_split_holds_exactly_as_many_as_asked(validation: int) -> None:
    _, held = draw(100, validation, seed=0, classes=LABELS)
    assert len(held) == validation
    shares = np.bincount(LABELS[held], minlength=3) - validation * np.array([0.5, 0.3, 0.2])
    assert np.abs(shares).max() < 1


def test_a_class_of_one_sample_stays_in_training() -> None:
    labels = np.array([0] * 9 + [1])
    for seed in range(5):
        assert 9 in draw(10, 5, seed=seed, classes=labels)[0]
