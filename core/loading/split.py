"""Which samples train, validate and test: drawn from the split's own seed, or by what a column says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import groups
from core.errors import InvalidData
from core.spec import JobSpec
from core.split import Sizes, part_named, quotas

_HELD, _TEST = 1, 2

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

    `by` holds each sample's cell of the column named in `split.time` (moments or numbers), `split.column` (words) or
    `split.group` (either).
    Raises InvalidData when a cell does not say where its sample belongs, or the parts are not as large as promised.
    """
    sizes, wanted = spec.drawn_sizes, spec.split
    if wanted.column is not None:
        found = by_words(_given(by, wanted.column))
    elif wanted.time is not None:
        found = in_time(_given(by, wanted.time), sizes)
    elif wanted.group is not None:
        found = by_group(_given(by, wanted.group), spec)
    else:
        classes = target.astype(np.int64, copy=False) if wanted.stratify else None
        fold = None if wanted.folds is None else (wanted.fold or 1, wanted.folds)
        found = draw(sizes, seed=wanted.seed, classes=classes, fold=fold)
    made = Sizes(len(found.train), len(found.validation), len(found.test))
    if made != sizes:
        raise InvalidData(f"The split makes parts of {tuple(made)} samples, not {tuple(sizes)} as when it was queued.")
    return found


def draw(
    sizes: Sizes, *, seed: int, classes: NDArray[np.int64] | None = None, fold: tuple[int, int] | None = None
) -> Parts:
    """Rows at random, as many as `sizes` says.

    With `classes` (a label per sample) each class gives the same share, rounded by largest remainder. The test part
    rests on the seed and its own size alone: figures of jobs that validate on more or on less can be compared.
    `fold` is one of so many: what is left beside the test part is dealt out row by row, with `classes` class by class.
    Raises InvalidData when a class has too few rows for all folds.
    """
    samples = sum(sizes)
    shuffled = np.random.default_rng(seed).permutation(samples)
    test = _take(shuffled[::-1], sizes.test, classes=classes)
    rest = shuffled[~_mask(samples, test)[shuffled]]
    if fold is not None:
        return _parts(samples, _dealt(rest, fold, classes=classes), test)
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


def by_group(labels: NDArray[Any], spec: JobSpec) -> Parts:
    """Whole groups, as many of each size as the spec was queued with; which ones, is drawn from the split's seed.

    Raises InvalidData where a sample has no group, or the groups are not as large as they were.
    """
    wanted, facts = spec.split, spec.dataset.settings()["facts"]
    if bad := sum(label is None or label != label for label in labels.tolist()):  # noqa: PLR0124  NaN alone differs
        raise InvalidData(f"{bad} samples have no {wanted.group!r}, and the split is by this group.")
    _, of_row, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sizes, times = np.unique(counts, return_counts=True)
    if groups.told(dict(zip(sizes.tolist(), times.tolist(), strict=True))) != facts.groups:
        raise InvalidData(f"The groups of {wanted.group!r} are not as large as when the job was queued.")
    deal = groups.deal(facts.groups, validation=wanted.validation, test=wanted.test, folds=wanted.folds)
    drawn = np.random.default_rng(wanted.seed).permutation(len(counts))
    part_of = np.zeros(len(counts), np.int8)
    for size in sizes.tolist():
        alike = drawn[counts[drawn] == size]
        part_of[alike[len(alike) - deal.test.get(size, 0) :]] = _TEST
        earlier = sum(held.get(size, 0) for held in deal.validation[: (wanted.fold or 1) - 1])
        part_of[alike[earlier:][: deal.validation[(wanted.fold or 1) - 1].get(size, 0)]] = _HELD
    part = part_of[of_row.reshape(-1)]
    return _parts(len(labels), np.flatnonzero(part == _HELD), np.flatnonzero(part == _TEST))


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


def _dealt(shuffled: Rows, fold: tuple[int, int], *, classes: NDArray[np.int64] | None) -> Rows:
    """The rows of one fold: every so many-th, in the order of their classes."""
    number, folds = fold
    if classes is not None:
        counts = np.unique(classes[shuffled], return_counts=True)[1]
        if counts.min() < folds:
            told = f"The smallest class has {counts.min()} samples to make folds of, and there are to be {folds}."
            raise InvalidData(told, hint="Take fewer folds, or stratify: false.", param="/split/folds")
        shuffled = shuffled[np.argsort(classes[shuffled], kind="stable")]
    return shuffled[number - 1 :: folds]


def _take(shuffled: Rows, wanted: int, *, classes: NDArray[np.int64] | None) -> Rows:
    if classes is None or not wanted:
        return shuffled[:wanted]
    labels = classes[shuffled]
    names, counts = np.unique(labels, return_counts=True)
    takes = quotas(counts.tolist(), wanted)
    return np.concatenate([shuffled[labels == name][:take] for name, take in zip(names, takes, strict=True)])
