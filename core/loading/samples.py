"""Inputs and targets that belong together, as tensors."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class SampleSet(Protocol):
    """What a run trains on or is judged by: all in memory (`Samples`), or read when it is asked for."""

    @property
    def size(self) -> int:
        """How many samples there are."""

    @property
    def x(self) -> Tensor:
        """The features of all samples at once; what is larger than memory is never asked for them."""

    @property
    def y(self) -> Tensor:
        """The targets of all samples, which are always in memory."""

    @property
    def bytes(self) -> int:
        """What they take in memory."""

    def take(self, rows: Tensor) -> Samples:
        """The samples at `rows`, in that order."""

    def cut(self, rows: int) -> Iterable[Samples]:
        """All of them in order, `rows` samples at a time; the last time there may be fewer."""

    def to(self, device: torch.device, *, non_blocking: bool = False) -> SampleSet:
        """The same samples on `device`, as far as they are in memory as a whole."""

    def identity(self) -> Iterator[builtins.bytes | memoryview]:
        """What tells them from any other samples: their numbers, or where these come from."""


class Samples(NamedTuple):
    """A set of samples or a batch of them: x float32 `(samples, *features)`, y int64 `(samples,)` or float32 rows."""

    x: Tensor
    y: Tensor

    @property
    def size(self) -> int:
        """How many samples there are."""
        return len(self.y)

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

    def identity(self) -> Iterator[builtins.bytes | memoryview]:
        """All the numbers, each tensor behind its type and shape."""
        for numbers in self:
            yield f"{numbers.dtype} {tuple(numbers.shape)}".encode()
            yield numbers.cpu().contiguous().numpy().data
