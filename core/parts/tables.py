"""Datasets: the real tables that scikit-learn brings along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.data import Arrays, DataShape
from core.registry import datasets


@datasets.register(shape=DataShape(samples=1797, features=(1, 8, 8), classes=10), bundled=True)
def digits() -> Arrays:
    """Handwritten digits: 1,797 images of 8 x 8 pixels in 10 classes."""
    from sklearn.datasets import load_digits

    return _arrays(load_digits, image=(1, 8, 8))


@datasets.register(shape=DataShape(samples=150, features=(4,), classes=3), bundled=True)
def iris() -> Arrays:
    """Iris flowers: 150 samples of 4 measurements in 3 species."""
    from sklearn.datasets import load_iris

    return _arrays(load_iris)


@datasets.register(shape=DataShape(samples=178, features=(13,), classes=3), bundled=True)
def wine() -> Arrays:
    """Italian wines: 178 samples of 13 chemical measurements from 3 growers."""
    from sklearn.datasets import load_wine

    return _arrays(load_wine)


@datasets.register(shape=DataShape(samples=569, features=(30,), classes=2), bundled=True)
def breast_cancer() -> Arrays:
    """Breast tumours: 569 samples of 30 measurements, malignant or benign."""
    from sklearn.datasets import load_breast_cancer

    return _arrays(load_breast_cancer)


@datasets.register(shape=DataShape(samples=442, features=(10,)), bundled=True)
def diabetes() -> Arrays:
    """Diabetes patients: 442 samples of 10 measurements; the number is the disease's progression after a year."""
    from sklearn.datasets import load_diabetes

    return _arrays(load_diabetes)


def _arrays(load: Callable[[], Any], *, image: tuple[int, ...] | None = None) -> Arrays:
    import numpy as np

    table = load()
    x = np.ascontiguousarray(table.data, dtype=np.float32)
    names = tuple(str(name) for name in table.feature_names)
    if "target_names" not in table:
        return Arrays(x, table.target.astype(np.float32).reshape(len(x), -1), feature_names=names)
    x = x.reshape(len(x), *image) if image else x
    classes = tuple(str(name) for name in table.target_names)
    return Arrays(x, table.target.astype(np.int64), class_names=classes, feature_names=names)
