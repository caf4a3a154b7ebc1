"""How many samples train, validate and test, and which words say so: the one place for this arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
