"""The order of the data: a pure function of seed and epoch, so that any run can be repeated and taken up again."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def permutation(samples: int, *, seed: int, epoch: int) -> Tensor:
    """The order in which `epoch` visits the training samples: int64 `(samples,)`, the same on every machine.

    It draws from a generator of its own and leaves torch's global one alone.
    """
    return torch.randperm(samples, generator=generator(seed, epoch))


def generator(*facts: int) -> torch.Generator:
    """A fresh generator seeded by `facts`: neighbouring seeds and epochs give unrelated streams."""
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
