"""Random numbers that are a pure function of what they are for: seed, epoch, augmentation and the sample's number."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_BITS = 24
"""What a float32 between 0 and 1 holds of evenly spaced numbers."""


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of one augmentation for one batch; nothing else decides them, least of all what was drawn before.

    Those for each sample are SplitMix64 (Steele et al., 2014) at a counter, in integers, so the same on every device.
    `key` stands for seed, epoch and augmentation; `rows` int64 `(batch,)`, on the batch's device, are the samples'
    numbers in the training part; `step` is the batch's number in its epoch.
    """

    key: int
    rows: Tensor
    step: int

    @classmethod
    def of(cls, rows: Tensor, *, seed: int, epoch: int, step: int, place: int) -> Draws:
        """The draws of the augmentation that stands at `place` in the spec."""
        return cls(_hashed("augment", seed, epoch, place), rows, step)

    def uniform(self, count: int) -> Tensor:
        """So many numbers for each sample, even over [0, 1): float32 `(count, batch)`; always the same ones."""
        return _shifted(self._numbers(count), 64 - _BITS).float() * 2.0**-_BITS

    def normal(self, count: int) -> Tensor:
        """So many standard normal numbers for each sample (Box & Muller, 1958): float32 `(batch, count)`."""
        numbers = self._numbers((count + 1) // 2)
        # never 0, of which there is no logarithm
        radius = (_shifted(numbers, 64 - _BITS).float().add_(1) * 2.0**-_BITS).log_().mul_(-2.0).sqrt_()
        angle = _shifted(numbers, 64 - 2 * _BITS).bitwise_and_((1 << _BITS) - 1).float() * (2.0**-_BITS * 2 * math.pi)
        return torch.cat([radius * angle.cos(), radius * angle.sin()])[:count].T

    def for_batch(self) -> np.random.Generator:
        """A generator for what a whole batch shares: of the step, where the others are of the sample."""
        return np.random.default_rng(_hashed("batch", self.key, self.step))

    def _numbers(self, count: int) -> Tensor:
        """So many 64-bit integers for each sample: `(count, batch)`."""
        start = _mixed(self.rows * _signed(_GOLDEN) + _signed(self.key))
        counters = torch.arange(1, count + 1, device=self.rows.device) * _signed(_GOLDEN)
        return _mixed(counters[:, None] + start)


def _hashed(*facts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(facts).encode(), digest_size=8).digest(), "big")


def _mixed(z: Tensor) -> Tensor:
    """SplitMix64's output function; int64 wraps around as its unsigned integers do."""
    z = _shifted(z, 30).bitwise_xor_(z).mul_(_signed(_FIRST))
    z = _shifted(z, 27).bitwise_xor_(z).mul_(_signed(_SECOND))
    return _shifted(z, 31).bitwise_xor_(z)


def _shifted(z: Tensor, by: int) -> Tensor:
    """To the right, with zeros behind: torch's own shift would repeat the sign."""
    return (z >> by).bitwise_and_((1 << (64 - by)) - 1)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
