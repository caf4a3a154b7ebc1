"""How whole groups of rows are dealt to the parts of a split, from nothing but how large they are."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from core.split import Sizes, sizes

Groups = Mapping[int, int]
"""How many groups there are of each size (in rows)."""


class Deal(NamedTuple):
    """How many groups of each size test, and how many validate: once, or in each fold."""

    test: Groups
    validation: tuple[Groups, ...]


def told(groups: Groups) -> str:
    """Groups as text, the smallest first; `read` is the inverse.

    >>> told({5: 4, 3: 20})
    '3x20 5x4'
    """
    return " ".join(f"{size}x{count}" for size, count in sorted(groups.items()) if count)


def read(text: str) -> dict[int, int]:
    """The groups that `told` made into text; raises ValueError for any other."""
    pairs = (word.split("x") for word in text.split())
    return {int(size): int(count) for size, count in pairs}


def rows(groups: Groups) -> int:
    """How many rows they are together."""
    return sum(size * count for size, count in groups.items())


def fewest(*, validation: float | None, test: float, folds: int | None) -> int:
    """How many groups a split needs at least: one in each part."""
    return (folds or 1 + bool(validation)) + bool(test)


@functools.lru_cache(maxsize=128)
def deal(text: str, *, validation: float | None, test: float, folds: int | None) -> Deal:
    """Deal groups by the shares of rows: as near to each share as taking more groups brings it, at least one of each.

    Groups of every size give alike, so that the parts are alike in this too. What tests rests on its own share alone.
    Raises ValueError when the groups are too few, or the shares leave none to train on.
    """
    groups = read(text)
    samples = rows(groups)
    wanted = sizes(samples, validation or 0.0, test=test)
    if sum(groups.values()) < fewest(validation=validation, test=test, folds=folds) or wanted.train < 1:
        raise ValueError(text)
    tested = _taken(groups, wanted.test, spare=folds or 1 + bool(validation))
    rest = {size: count - tested.get(size, 0) for size, count in groups.items()}
    if folds:
        return Deal(tested, _folded(rest, folds))
    return Deal(tested, (_taken(rest, wanted.validation, spare=1),))


def dealt_sizes(text: str, *, validation: float | None, test: float, folds: int | None) -> tuple[Sizes, ...]:
    """How many rows each part gets by `deal`: once, or in each fold. Raises ValueError as it does."""
    dealt = deal(text, validation=validation, test=test, folds=folds)
    tested, whole = rows(dealt.test), rows(read(text))
    return tuple(Sizes(whole - tested - rows(held), rows(held), tested) for held in dealt.validation)


def _taken(groups: Groups, wanted: int, *, spare: int) -> dict[int, int]:
    """Groups of about `wanted` rows together, at least one if any are wanted; `spare` groups stay.

    Each size gives its share, rounded down; what is lacking is filled up with the largest that fit, and one more is
    taken where that comes nearer.
    """
    if not wanted:
        return {}
    room, whole = sum(groups.values()) - spare, rows(groups)
    taken: dict[int, int] = {}
    for size, count in groups.items():
        taken[size] = min(count * wanted // whole, room)
        room -= taken[size]
    lacking = wanted - rows(taken)
    over: tuple[int, dict[int, int]] | None = None
    for size in sorted(groups, reverse=True):
        left = min(groups[size] - taken[size], room)
        more = min(left, lacking // size)
        if more < left and (over is None or (more + 1) * size - lacking < over[0]):
            over = (more + 1) * size - lacking, {**taken, size: taken[size] + more + 1}
        taken[size] += more
        lacking, room = lacking - more * size, room - more
    return over[1] if over is not None and (over[0] < lacking or not any(taken.values())) else taken


def _folded(groups: Groups, folds: int) -> tuple[dict[int, int], ...]:
    """All groups in folds: of each size the same number, and those left over go where the fewest rows are."""
    dealt: tuple[dict[int, int], ...] = tuple({} for _ in range(folds))
    for size in sorted(groups, reverse=True):
        each, over = divmod(groups[size], folds)
        lightest = sorted(range(folds), key=lambda fold: (rows(dealt[fold]), fold))[:over]
        for fold in range(folds):
            dealt[fold][size] = each + (fold in lightest)
    return dealt
