"""Fewer rows of a long history, for drawing: the ends, and each stretch's best and worst loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.job import EpochRow


def thinned(rows: Sequence[EpochRow], points: int) -> list[EpochRow]:
    """At most `points` (2 or more) of `rows` in their order: the first, the last, and extremes between.

    A loss that is NaN or infinite counts as the worst, so that a divergence is never thinned away.
    """
    if len(rows) <= points:
        return list(rows)
    between = range(1, len(rows) - 1)
    stretches = (points - 2) // 2
    kept = {0, len(rows) - 1}
    for index in range(stretches):
        begin, end = (1 + len(between) * place // stretches for place in (index, index + 1))
        kept.add(min(range(begin, end), key=lambda place: _loss(rows[place])))
        kept.add(max(range(begin, end), key=lambda place: _loss(rows[place])))
    return [rows[place] for place in sorted(kept)]


def _loss(row: EpochRow) -> float:
    loss = row.train_loss if row.val_loss is None else row.val_loss
    return loss if math.isfinite(loss) else math.inf
