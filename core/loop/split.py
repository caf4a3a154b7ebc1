"""Which samples train and which validate: decided once from the split's own seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def draw(samples: int, validation: int, *, seed: int, classes: NDArray[np.int64] | None = None) -> tuple[Rows, Rows]:
    """Rows for training and for validation (`validation` of them), both in the data's own order.

    With `classes` (a label per sample) each class gives the same share, rounded by largest remainder.
    """
    shuffled = np.random.default_rng(seed).permutation(samples)
    held = shuffled[:validation] if classes is None else _share(shuffled, validation, classes=classes)
    train = np.ones(samples, bool)
    train[held] = False
    return np.flatnonzero(train), np.flatnonzero(~train)


def _share(shuffled: Rows, validation: int, *, classes: NDArray[np.int64]) -> Rows:
    labels = classes[shuffled]
    names, counts = np.unique(labels, return_counts=True)
    takes = _quotas(counts, validation)
    return np.concatenate([shuffled[labels == name][:take] for name, take in zip(names, takes, strict=True)])


def _quotas(counts: NDArray[np.intp], validation: int) -> NDArray[np.intp]:
    """How many of each class to hold back; a class gives its last sample only when no other can."""
    takes, remainders = np.divmod(counts * validation, counts.sum())
    spare = counts - takes > 1
    order = np.lexsort((-remainders, ~spare))  # the last key sorts first
    takes[order[: validation - takes.sum()]] += 1
    return takes
