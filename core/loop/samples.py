"""Inputs and targets that belong together, as tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Samples(NamedTuple):
    """A set of samples or a batch of them: x float32 `(samples, *features)`, y int64 `(samples,)` or float32 rows."""

    x: Tensor
    y: Tensor

    def take(self, rows: Tensor) -> Samples:
        """The samples at `rows`, in that order."""
        return Samples(self.x.index_select(0, rows), self.y.index_select(0, rows))

    def cut(self, rows: int) -> list[Samples]:
        """Views of `rows` samples each; the last may have fewer."""
        return list(map(Samples, torch.split(self.x, rows), torch.split(self.y, rows)))

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Samples:
        """The same samples on `device`."""
        return Samples(self.x.to(device, non_blocking=non_blocking), self.y.to(device, non_blocking=non_blocking))

    @property
    def bytes(self) -> int:
        """What they take in memory."""
        return self.x.nbytes + self.y.nbytes
