"""How many samples train, validate and test, and which words say so: the one place for this arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WORDS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
"""What a split column may hold for each part, in any case and with any blanks around it."""


class Sizes(NamedTuple):
    """How many samples train, how many validate, and how many test what was trained."""

    train: int
    validation: int
    test: int


def sizes(samples: int, validation: float, *, test: float = 0.0) -> Sizes:
    """The sizes of the parts by their shares; what does not train is rounded up, as scikit-learn does.

    So any share above 0, however small, holds a sample back; shares that are too large together leave none to train on.

    >>> sizes(1797, 0.2)
    Sizes(train=1437, validation=360, test=0)
    """
    tested = _part(samples, test)
    held = min(_part(samples, validation), samples - tested)
    return Sizes(samples - held - tested, held, tested)


def fold_sizes(samples: int, folds: int, *, test: float = 0.0) -> tuple[Sizes, ...]:
    """The sizes of the parts in each fold of a cross-validation, when the test part is held back from all of them.

    >>> fold_sizes(8, 3)
    (Sizes(train=5, validation=3, test=0), Sizes(train=5, validation=3, test=0), Sizes(train=6, validation=2, test=0))
    """
    tested = _part(samples, test)
    each, over = divmod(samples - tested, folds)
    held = [each + (fold < over) for fold in range(folds)]
    return tuple(Sizes(samples - tested - one, one, tested) for one in held)


def quotas(counts: Sequence[int], wanted: int) -> list[int]:
    """How many of each class to hold back, by largest remainder: its last sample only when no other class can give."""
    whole = sum(counts)
    takes = [count * wanted // whole for count in counts]
    order = sorted(
        range(len(counts)), key=lambda place: (counts[place] - takes[place] <= 1, -(counts[place] * wanted % whole))
    )
    for place in order[: wanted - sum(takes)]:
        takes[place] += 1
    return takes


def part_named(word: str) -> str | None:
    """`train`, `validation` or `test`, as a cell of a split column means it; None for any other word.

    >>> part_named(" Val ")
    'validation'
    """
    plain = word.strip().lower()
    return next((part for part, words in WORDS.items() if plain in words), None)


def _part(samples: int, share: float) -> int:
    # 100 * 0.07 is 7.000000000000001: rounding that up would be a sample too many.
    return max(math.ceil(samples * share - 1e-9), int(share > 0))
