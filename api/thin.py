"""Fewer rows of a long history, for drawing: the ends, and each stretch's extremes and gaps of every curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.job import EpochRow

Curve = Sequence[float | None]


def thinned(rows: Sequence[EpochRow], points: int) -> list[EpochRow]:
    """At most `points` (2 or more) of `rows` in their order, by the curves of their losses."""
    if len(rows) <= points:
        return list(rows)
    losses: list[Curve] = [[row.val_loss for row in rows], [row.train_loss for row in rows]]
    return [rows[place] for place in places(losses, points)]


def places(curves: Sequence[Curve], points: int) -> list[int]:
    """Which places of curves that are equally long to keep, at most `points` (2 or more), so that they look the same.

    The first, the last, and of each stretch between: the first number that is not finite, if any, so that a gap stays a
    gap, and the least and the greatest of each curve. Where `points` is too small for all that, the first curves count.
    """
    count = max(map(len, curves), default=0)
    if count <= points:
        return list(range(count))
    shown = [curve for curve in curves if any(value is not None for value in curve)]
    is_whole = all(value is None or math.isfinite(value) for curve in shown for value in curve)
    each = min(2 * len(shown) + (not is_whole), points - 2)
    stretches = (points - 2) // each if each else 0
    kept = {0, count - 1}
    for index in range(stretches):
        begin, end = (1 + (count - 2) * place // stretches for place in (index, index + 1))
        kept.update(_telling(shown, range(begin, end))[:each])
    return sorted(kept)


def _telling(curves: Sequence[Curve], stretch: range) -> list[int]:
    """The places of a stretch without which a curve would look different, the most telling first."""
    found: dict[int, None] = {}
    for curve in curves:
        values = {place: value for place in stretch if (value := curve[place]) is not None}
        odd = [place for place, value in values.items() if not math.isfinite(value)]
        found = {**dict.fromkeys(odd[:1]), **found}
        finite = [place for place, value in values.items() if math.isfinite(value)]
        if finite:
            found |= {min(finite, key=values.__getitem__): None, max(finite, key=values.__getitem__): None}
    return list(found)
