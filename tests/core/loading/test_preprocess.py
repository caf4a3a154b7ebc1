"""Scaling."""

import json

import numpy as np
import pytest
import torch

from core.loading.preprocess import Kind, Scaling, fit

RNG = np.random.default_rng(0)
TABLE = (RNG.normal(size=(200, 3)) * [1, 50, 1e-3] + [0, 1e4, 5]).astype(np.float32)


def test_standard_gives_each_column_mean_0_and_population_deviation_1() -> None:
    scaled = fit("standard", TABLE)(TABLE).numpy().astype(np.float64)
    assert np.abs(scaled.mean(axis=0)).max() < 1e-6
    assert np.abs(scaled.std(axis=0, ddof=0) - 1).max() < 1e-6


def test_minmax_brings_each_column_to_0_and_1() -> None:
    scaled = fit("minmax", TABLE)(TABLE)
    assert scaled.amin(0).tolist() == pytest.approx([0, 0, 0], abs=1e-7)
    assert scaled.amax(0).tolist() == pytest.approx([1, 1, 1])


def test_none_changes_nothing() -> None:
    assert torch.equal(fit("none", TABLE)(TABLE), torch.from_numpy(TABLE))


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_a_column_that_is_constant_in_training_becomes_0_everywhere(kind: Kind) -> None:
    rows = np.array([[0.1, 1], [0.1, 2], [0.1, 4]], np.float32)
    scaling = fit(kind, rows)
    assert scaling(rows)[:, 0].tolist() == [0, 0, 0]
    assert scaling(np.array([[7, 2]], np.float32))[0, 0] == 0


def test_the_statistics_come_from_the_rows_they_were_fitted_on() -> None:
    scaling = fit("minmax", np.array([[0.0], [10.0]], np.float32))
    assert scaling(np.array([[20.0]], np.float32)).tolist() == [[2.0]]


def test_images_are_scaled_by_the_range_of_the_whole_set() -> None:
    images = np.zeros((2, 1, 2, 2), np.float32)
    images[0, 0, 0, 1], images[1, 0, 1, 1] = 8, 16
    scaled = fit("minmax", images, whole=True)(images)
    assert scaled.shape == images.shape
    assert scaled.flatten().tolist() == [0, 0.5, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("kind", ["standard", "minmax", "none"])
def test_undo_brings_back_the_own_unit(kind: Kind) -> None:
    scaling = fit(kind, TABLE)
    assert torch.allclose(scaling.undo(scaling(TABLE)), torch.from_numpy(TABLE), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["standard", "minmax", "none"])
def test_restored_from_json_it_gives_the_same_bits(kind: Kind) -> None:
    scaling = fit(kind, TABLE)
    restored = Scaling.restore(json.loads(json.dumps(scaling.statistics())))
    assert torch.equal(restored(TABLE), scaling(TABLE))


def test_a_large_set_is_scaled_block_by_block() -> None:
    rows = RNG.normal(size=(70_000, 2)).astype(np.float32)
    scaling = fit("standard", rows)
    assert torch.equal(scaling(rows)[65_530:65_560], scaling(rows[65_530:65_560]))
