"""Which samples train, validate and test: drawn from the split's own seed, or by what a column says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidData
from core.spec import JobSpec
from core.split import Sizes, part_named

Rows = NDArray[np.intp]
Times = NDArray[np.datetime64] | NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """The rows of each part, in the data's own order: together all rows, each once."""

    train: Rows
    validation: Rows
    test: Rows


def parts(spec: JobSpec, target: NDArray[Any], *, by: NDArray[Any] | None = None) -> Parts:
    """The parts that `spec` asks for of the samples with these targets.

    `by` holds each sample's cell of the column named in `split.time` (moments or numbers) or `split.column` (words).
    Raises InvalidData when a cell does not say where its sample belongs, or the parts are not as large as promised.
    """
    sizes, wanted = spec.split_sizes, spec.split
    if wanted.column is not None:
        found = by_words(_given(by, wanted.column))
    elif wanted.time is not None:
        found = in_time(_given(by, wanted.time), sizes)
    else:
        classes = target.astype(np.int64, copy=False) if wanted.stratify else None
        found = draw(sizes, seed=wanted.seed, classes=classes)
    made = Sizes(len(found.train), len(found.validation), len(found.test))
    if made != sizes:
        raise InvalidData(f"The split makes parts of {tuple(made)} samples, not {tuple(sizes)} as when it was queued.")
    return found


def draw(sizes: Sizes, *, seed: int, classes: NDArray[np.int64] | None = None) -> Parts:
    """Rows at random, as many as `sizes` says.

    With `classes` (a label per sample) each class gives the same share, rounded by largest remainder. The test part
    rests on the seed and its own size alone: figures of jobs that validate on more or on less can be compared.
    """
    samples = sum(sizes)
    shuffled = np.random.default_rng(seed).permutation(samples)
    test = _take(shuffled[::-1], sizes.test, classes=classes)
    rest = shuffled[~_mask(samples, test)[shuffled]]
    return _parts(samples, _take(rest, sizes.validation, classes=classes), test)


def in_time(times: Times, sizes: Sizes) -> Parts:
    """The earliest samples train, those behind them validate, and the latest test; who shares a moment keeps order.

    Raises InvalidData where a sample has no time.
    """
    if bad := int((times != times).sum()):  # noqa: PLR0124  NaN and NaT alone differ from themselves
        raise InvalidData(f"{bad} samples have no time, and the split is by time.")
    order = np.argsort(times, kind="stable")
    at = sizes.train + sizes.validation
    return _parts(len(times), order[sizes.train : at], order[at:])


def by_words(words: NDArray[Any]) -> Parts:
    """The parts that a column names, sample by sample; raises InvalidData at a word that names none."""
    distinct, places = np.unique([str(word or "") for word in words], return_inverse=True)
    named = [part_named(word) for word in distinct]
    if None in named:
        raise InvalidData(f"The split column holds {str(distinct[named.index(None)])!r}, which names no part.")
    parts = np.array([str(name) for name in named])[places]
    return _parts(len(words), np.flatnonzero(parts == "validation"), np.flatnonzero(parts == "test"))


def _given(cells: NDArray[Any] | None, column: str) -> NDArray[Any]:
    if cells is None:
        raise InvalidData(f"The split is by the column {column!r}, and this data has no columns.")
    return cells


def _parts(samples: int, validation: Rows, test: Rows) -> Parts:
    held, tested = _mask(samples, validation), _mask(samples, test)
    return Parts(np.flatnonzero(~held & ~tested), np.flatnonzero(held), np.flatnonzero(tested))


def _mask(samples: int, rows: Rows) -> NDArray[np.bool_]:
    mask = np.zeros(samples, bool)
    mask[rows] = True
    return mask


def _take(shuffled: Rows, wanted: int, *, classes: NDArray[np.int64] | None) -> Rows:
    if classes is None or not wanted:
        return shuffled[:wanted]
    labels = classes[shuffled]
    names, counts = np.unique(labels, return_counts=True)
    takes = _quotas(counts, wanted)
    return np.concatenate([shuffled[labels == name][:take] for name, take in zip(names, takes, strict=True)])


def _quotas(counts: NDArray[np.intp], wanted: int) -> NDArray[np.intp]:
    """How many of each class to hold back; a class gives its last sample only when no other can."""
    takes, remainders = np.divmod(counts * wanted, counts.sum())
    spare = counts - takes > 1
    order = np.lexsort((-remainders, ~spare))  # the last key sorts first
    takes[order[: wanted - takes.sum()]] += 1
    return takes
