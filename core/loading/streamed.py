"""Samples that stay in their file: targets in memory, features read when they are asked for."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.loading.samples import Samples

Read = Callable[[NDArray[np.intp]], Tensor]
"""Gives the features of the samples at these places, which ascend: float32 `(places, *features)`."""
Wish = TypeVar("Wish")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Streamed:
    """A `SampleSet` whose features `read` fetches; `origin` tells the file and all that is made of its cells.

    With a `block` above 1 the file wants to be read in blocks of so many samples, one after the other; with 1 any
    sample is as near as the next.
    """

    read: Read
    y: Tensor
    block: int
    origin: str

    @property
    def size(self) -> int:
        """How many samples there are."""
        return len(self.y)

    @property
    def x(self) -> Tensor:
        """The features of all samples, read now."""
        return self.read(np.arange(self.size))

    @property
    def bytes(self) -> int:
        """What they take in memory: the targets."""
        return self.y.nbytes

    def take(self, rows: Tensor) -> Samples:
        """The samples at `rows`, in that order."""
        places, back = np.unique(rows.numpy(), return_inverse=True)
        return Samples(self.read(places).index_select(0, torch.from_numpy(back)), self.y.index_select(0, rows))

    def cut(self, rows: int) -> Iterator[Samples]:
        """All of them in order, `rows` at a time; the next are read while these are used."""
        starts = range(0, self.size, rows)
        spans = (np.arange(start, min(self.size, start + rows)) for start in starts)
        for start, x in zip(starts, ahead(self.read, spans, by=1), strict=True):
            yield Samples(x, self.y[start : start + rows])

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Streamed:  # noqa: ARG002
        """These samples: they lie on no device."""
        return self

    def identity(self) -> Iterator[builtins.bytes | memoryview]:
        """Where the features come from, and the targets; the file itself is not read."""
        yield self.origin.encode()
        yield self.y.contiguous().numpy().data


def ahead(fetch: Callable[[Wish], Found], wishes: Iterable[Wish], *, by: int) -> Iterator[Found]:
    """What `fetch` gives for each of the wishes, in their order, fetched by one thread while the last ones are used."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    coming: deque[Future[Found]] = deque()
    try:
        for wish in wishes:
            coming.append(pool.submit(fetch, wish))
            if len(coming) > by:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
