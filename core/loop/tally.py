"""The losses of one epoch, left on the device until all are read at once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from core.loop.samples import Samples

_STACK = 1024
"""Losses that are held one by one; beyond, they are put together, four bytes each."""


class Tally:
    """Counts what an epoch did: its losses, its samples and the seconds it waited for data.

    Adding a loss costs no reading and no arithmetic on the device.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.waited_s = 0.0
        self._sizes: list[int] = []
        self._recent: list[Tensor] = []
        self._stacks: list[Tensor] = []

    def timed(self, batches: Iterator[Samples]) -> Iterator[Samples]:
        """Hand on the batches, and count the time they take to come."""
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self.waited_s += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    def add(self, loss: Tensor, samples: int) -> None:
        """Take in a batch: the mean loss of its `samples`."""
        self.samples += samples
        self._sizes.append(samples)
        self._recent.append(loss)
        if len(self._recent) == _STACK:
            self._stack()

    def is_finite(self) -> bool:
        """Whether the latest loss is a number to go on with; reads the device."""
        latest = self._recent[-1] if self._recent else self._stacks[-1][-1]
        return math.isfinite(latest.item())

    def mean(self) -> float:
        """The mean loss over the epoch's samples, the one reading of the epoch: summed exactly, in no order.

        If a loss was NaN or infinite, the first such one: it does not depend on when that was noticed.
        """
        self._stack()
        losses = torch.cat(self._stacks).tolist()
        for loss in losses:
            if not math.isfinite(loss):
                return float(loss)
        return math.fsum(loss * size for loss, size in zip(losses, self._sizes, strict=True)) / self.samples

    def _stack(self) -> None:
        if self._recent:
            self._stacks.append(torch.stack(self._recent))
            self._recent = []
