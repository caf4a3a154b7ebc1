"""Samples of a batch mixed with others of it, and their targets in the same shares."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from core.augment.draws import Draws

Mixed = tuple[Tensor, Tensor]


def mixup(x: Tensor, y: Tensor, draws: Draws, *, alpha: float, p: float) -> Mixed:
    """Each sample with another one, all by one share of a Beta(alpha, alpha) distribution."""
    chance = draws.for_batch()
    applies, share = chance.random() < p, float(chance.beta(alpha, alpha))
    if not applies:
        return x, y
    other = _partners(x, chance)
    return _blend(x, x.index_select(0, other), share), _blend(y, y.index_select(0, other), share)


def cutmix(x: Tensor, y: Tensor, draws: Draws, *, alpha: float, p: float) -> Mixed:
    """Each picture with a box of another one in it, all with the same box; targets by the area that is left."""
    chance = draws.for_batch()
    applies, share = chance.random() < p, float(chance.beta(alpha, alpha))
    if not applies:
        return x, y
    other = _partners(x, chance)
    rows, columns = (_span(side, chance.random(), share=math.sqrt(1 - share)) for side in x.shape[2:])
    cut = x.clone()
    cut[:, :, rows, columns] = x[:, :, rows, columns].index_select(0, other)
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return cut, _blend(y, y.index_select(0, other), 1 - area / math.prod(x.shape[2:]))


def _partners(x: Tensor, chance: np.random.Generator) -> Tensor:
    return torch.from_numpy(chance.permutation(len(x))).to(x.device)


def _blend(own: Tensor, other: Tensor, share: float) -> Tensor:
    return own * share + other * (1 - share)


def _span(side: int, at: float, *, share: float) -> slice:
    """The pixels of a side that a box around `at` covers, as far as they lie in the picture."""
    middle, length = int(at * side), int(share * side)
    return slice(max(0, middle - length // 2), min(side, middle + length // 2))
