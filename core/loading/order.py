"""The order of the data: a pure function of seed and epoch, so that any run can be repeated and taken up again."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

BLOCK_BYTES = 4 << 20
"""Of a block's features as float32: large enough that the file is read in few, long pieces."""
MOST_BLOCK_ROWS = 65_536
WINDOW = 8
"""Blocks whose samples are mixed with each other."""


def permutation(samples: int, *, seed: int, epoch: int) -> Tensor:
    """The order in which `epoch` visits the training samples: int64 `(samples,)`, the same on every machine.

    It draws from a generator of its own and leaves torch's global one alone.
    """
    return torch.randperm(samples, generator=generator(seed, epoch))


def block_rows(features: tuple[int, ...]) -> int:
    """How many samples of this shape make a block of a table that is read as it is needed."""
    return min(MOST_BLOCK_ROWS, max(1, BLOCK_BYTES // (4 * math.prod(features))))


def block_permutation(samples: int, *, block: int, seed: int, epoch: int) -> Tensor:
    """The order in which `epoch` visits samples that are read in blocks of `block`: int64 `(samples,)`.

    The blocks come in random order, and the samples of each `WINDOW` of them (32 MiB of features) are mixed, so that a
    block is read once an epoch and only a window is ever in memory. This is the two-level shuffle of CorgiPile (Xu et
    al., In-Database Machine Learning with CorgiPile, SIGMOD 2022), who show that it converges like a full shuffle
    when a window holds many blocks; Meng et al. (Convergence Analysis of Distributed Stochastic Gradient Descent with
    Shuffling, 2019) bound what mixing a part at a time costs. Samples of one window stay together in an epoch: where
    neighbours in the file are alike in long runs (sorted by class), a larger window would train better, and a file
    whose rows were shuffled once trains as well as with a full shuffle. Up to `WINDOW` blocks it is a full shuffle.
    """
    source, start = generator(seed, epoch), 0
    order = torch.empty(samples, dtype=torch.int64)
    for window in torch.split(torch.randperm(-(-samples // block), generator=source), WINDOW):
        rows = torch.cat([torch.arange(one * block, min(samples, (one + 1) * block)) for one in window.tolist()])
        order[start : start + len(rows)] = rows[torch.randperm(len(rows), generator=source)]
        start += len(rows)
    return order


def generator(*facts: int | str) -> torch.Generator:
    """A fresh generator seeded by `facts`: neighbouring seeds and epochs give unrelated streams."""
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
