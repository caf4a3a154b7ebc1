"""Every dataset holds what its shape said before it was loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import core.parts  # noqa: F401
from core.data import Arrays, DataShape
from core.registry import datasets
from core.spec.outline import Outline

GENERATED = ["moons", "circles", "spirals", "blobs", "linear", "random"]


def _made(choice: Any) -> tuple[DataShape, Arrays]:
    chosen = datasets.choose(choice)
    return Outline({"dataset": chosen}).data_shape, datasets.build(chosen)


@pytest.mark.parametrize("name", [name for name in datasets.names() if name not in {"upload", "file", "hub"}])
def test_a_dataset_holds_what_its_shape_says(name: str) -> None:
    shape, arrays = _made(name)
    assert arrays.x.dtype == np.float32
    assert arrays.x.shape == (shape.samples, *shape.features)
    assert np.isfinite(arrays.x).all()
    if shape.classes is None:
        assert arrays.y.dtype == np.float32
        assert arrays.y.shape == (shape.samples, shape.outputs)
    else:
        assert arrays.y.dtype == np.int64
        assert arrays.y.shape == (shape.samples,)
        assert set(arrays.y) == set(range(shape.classes))
        assert arrays.class_names is None or len(arrays.class_names) == shape.classes


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("samples", [2, 3, 7, 100])
def test_any_number_of_samples_can_be_drawn(name: str, samples: int) -> None:
    settings = {"classes": 2} if name == "blobs" else {}
    shape, arrays = _made({"name": name, "samples": samples, **settings})
    assert len(arrays.x) == len(arrays.y) == shape.samples == samples


@pytest.mark.parametrize("name", GENERATED)
def test_a_seed_decides_the_points(name: str) -> None:
    first, again, other = (_made({"name": name, "samples": 20, "seed": seed})[1].x for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_largest_seed_is_taken() -> None:
    _made({"name": "random", "samples": 2, "seed": 2**63 - 1})


def test_moons_are_the_half_circles_that_scikit_learn_draws() -> None:
    from sklearn.datasets import make_moons

    points, labels = make_moons(100, shuffle=False, noise=None)
    _, moons = _made({"name": "moons", "samples": 100, "noise": 0})
    assert np.allclose(moons.x, points, atol=1e-6)
    assert np.array_equal(moons.y, labels)


def test_circles_have_the_radii_that_the_catalogue_says() -> None:
    _, circles = _made({"name": "circles", "samples": 50, "noise": 0})
    radii = np.linalg.norm(circles.x, axis=1)
    assert np.allclose(radii, np.where(circles.y == 0, 1, 0.5), atol=1e-6)


def test_noise_is_a_deviation() -> None:
    clean, noisy = (_made({"name": "moons", "samples": 20_000, "noise": noise})[1].x for noise in (0, 0.5))
    assert np.std(noisy - clean) == pytest.approx(0.5, rel=0.02)


def test_linear_numbers_follow_their_features_up_to_the_noise() -> None:
    _, data = _made({"name": "linear", "samples": 5_000, "features": 4, "noise": 0.5})
    design = np.hstack([data.x, np.ones((len(data.x), 1))])
    _, residuals, *_ = np.linalg.lstsq(design, data.y, rcond=None)
    assert np.sqrt(residuals[0] / len(data.x)) == pytest.approx(0.5, rel=0.05)


def test_random_is_the_teaching_page_s_own_hundred_by_ten() -> None:
    shape, data = _made("random")
    assert (data.x.shape, data.y.shape, shape.task) == ((100, 10), (100, 1), "numbers")


def test_blobs_hold_every_class() -> None:
    _, blobs = _made({"name": "blobs", "samples": 12, "features": 5, "classes": 12})
    assert sorted(blobs.y) == list(range(12))
