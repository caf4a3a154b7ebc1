"""Samples that are windows over something that lies in memory once: gathered when they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from core.loading.samples import Samples


class Windowed(ABC):
    """What all windows have in common, whatever they are over."""

    starts: Tensor
    """Where each window begins: int64 `(windows,)`."""

    @abstractmethod
    def take(self, rows: Tensor) -> Samples:
        """The windows at `rows`, in that order."""

    @property
    def size(self) -> int:
        """How many windows there are."""
        return len(self.starts)

    @property
    def x(self) -> Tensor:
        """All windows at once."""
        return self.take(torch.arange(self.size)).x

    @property
    def y(self) -> Tensor:
        """All targets at once."""
        return self.take(torch.arange(self.size)).y

    def cut(self, rows: int) -> Iterator[Samples]:
        """All of them in order, `rows` windows at a time."""
        for chunk in torch.split(torch.arange(self.size), rows):
            yield self.take(chunk)

    def batches(self, order: Tensor, *, batch_size: int, device: torch.device) -> Iterator[Samples]:
        """The windows in that order, batch by batch."""
        for rows in torch.split(order, batch_size):
            yield self.take(rows).to(device)
