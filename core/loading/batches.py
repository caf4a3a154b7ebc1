"""The two roads that batches come by: gathered from memory, or fetched by DataLoader processes; the same numbers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from core.device import memory_left
from core.loading.order import generator
from core.loading.samples import Samples, SampleSet
from core.loading.streamed import ahead

Feed = Callable[[Tensor], Iterator[Samples]]
"""Gives the batches of one epoch, on the training device, for the order in which it visits the samples."""

_GATHER_BYTES = 1 << 20
"""Gathered at a time: it stays in the cache, and many batches share the cost of the call."""
_ALIGNMENT = 64
"""Where torch's own tensors begin, in bytes; a matrix product over rows that begin elsewhere has other last bits."""


def in_memory(samples: Samples, *, batch_size: int, device: torch.device) -> Feed:
    """The fast road: batches gathered by index where `samples` lie, several in one call where that is safe.

    There is no Python per sample.
    """
    home = samples.x.device
    rows = batch_size * batches_at_once([batch_size * part.nbytes // len(part) for part in samples])

    def feed(order: Tensor) -> Iterator[Samples]:
        for chunk in torch.split(order.to(home), rows):
            yield from samples.take(chunk).to(device).cut(batch_size)

    return feed


def from_thread(samples: SampleSet, *, batch_size: int, device: torch.device) -> Feed:
    """Batches of what is not in memory, each taken by a thread while the model works on the one before."""

    def feed(order: Tensor) -> Iterator[Samples]:
        for batch in ahead(samples.take, torch.split(order, batch_size), by=1):
            yield batch.to(device)

    return feed


def at_home(samples: SampleSet, device: torch.device) -> SampleSet:
    """The samples where batches are best gathered: on `device`, when they take at most half of what is free there."""
    return samples.to(device) if _fits(samples, device) else samples


def from_workers(samples: SampleSet, *, batch_size: int, device: torch.device, workers: int, pin: bool) -> Feed:
    """The DataLoader road: `workers` processes, kept from epoch to epoch, gather whole batches ahead of the loop.

    They run one thread each and touch nothing but tensors in main memory (thread pools do not survive a fork). `pin`
    counts on CUDA only, where page-locked batches are copied while the device computes.
    """
    samples = samples.to(torch.device("cpu"))
    index = _Index(batch_size)
    pinned = pin and device.type == "cuda"
    loader: DataLoader[Samples] = DataLoader(
        _Rows(samples),
        batch_sampler=index,
        num_workers=workers,
        collate_fn=as_it_is,
        pin_memory=pinned,
        persistent_workers=True,
        # its base seed must not come from the global generator, from which dropout draws
        generator=generator(0),
        # forkserver, which a child of one inherits, takes seconds to start; macOS cannot fork safely
        multiprocessing_context="fork" if sys.platform == "linux" else "spawn",
    )

    def feed(order: Tensor) -> Iterator[Samples]:
        index.order = order
        for batch in _started(loader):
            yield batch.to(device, non_blocking=pinned)

    return feed


def _fits(samples: SampleSet, device: torch.device) -> bool:
    free = memory_left(device)
    return free is None or samples.bytes <= free // 2


def batches_at_once(sizes: Sequence[int]) -> int:
    """How many batches of so many bytes to cut from one gather; one unless each begins where a fresh tensor would."""
    return 1 if any(size % _ALIGNMENT for size in sizes) else max(1, _GATHER_BYTES // sum(sizes))


def _started(loader: DataLoader[Samples]) -> Iterator[Samples]:
    with warnings.catch_warnings():
        # Python 3.12 warns of any fork beside threads; these children only gather tensors
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        return iter(loader)


def as_it_is(given: Any) -> Any:
    """What is given."""
    return given


class _Index:
    """The rows of each batch of the epoch at hand, as arrays: a tensor would travel by file descriptor."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.order = torch.empty(0, dtype=torch.int64)

    def __iter__(self) -> Iterator[Any]:
        for rows in torch.split(self.order, self.batch_size):
            yield rows.numpy()

    def __len__(self) -> int:
        return len(range(0, len(self.order), self.batch_size))


class _Rows(Dataset[Samples]):
    """The samples, a whole batch at a time."""

    def __init__(self, samples: SampleSet) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return self.samples.size

    def __getitem__(self, row: int) -> Samples:
        return self.samples.take(torch.tensor([row]))

    def __getitems__(self, rows: NDArray[np.int64]) -> Samples:
        return self.samples.take(torch.from_numpy(rows))
