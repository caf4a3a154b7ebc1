"""The road of batches from a file that is read in blocks: each is fetched once an epoch, held while it is needed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from core.errors import InvalidData
from core.loading.batches import Feed, as_it_is, batches_at_once
from core.loading.order import WINDOW, generator
from core.loading.samples import Samples
from core.loading.streamed import Streamed, ahead

Fetch = Callable[[Sequence[int]], Iterator[Tensor]]
"""Gives the features of the blocks of these numbers, in their order."""

_METHOD = "forkserver"
"""What reads Parquet has threads of its own, and they do not survive a fork; a forkserver never had any."""


_AHEAD = WINDOW // 2
"""Blocks that a thread reads before they are needed."""


def from_blocks(samples: Streamed, *, batch_size: int, device: torch.device, workers: int, pin: bool) -> Feed:
    """Batches of samples whose order was made by `order.block_permutation`, or is the file's.

    A block is read ahead by a thread, or by `workers` processes that are kept from epoch to epoch; whoever reads, the
    batches are the same. Any other order gives the same batches too, but then every block is held at last.
    """
    fetch = _by_processes(samples, workers) if workers else _by_thread(samples)
    pinned = pin and device.type == "cuda"
    features = samples.read(np.arange(1)).shape[1:]
    chunk = batch_size * batches_at_once([batch_size * 4 * features.numel(), batch_size * samples.y[:1].nbytes])

    def feed(order: Tensor) -> Iterator[Samples]:
        stretches = _stretches(order, chunk=chunk, block=samples.block)
        coming = fetch([block for stretch in stretches for block in stretch.first])
        held: dict[int, Tensor] = {}
        for rows, stretch in zip(torch.split(order, chunk), stretches, strict=True):
            held.update((block, next(coming)) for block in stretch.first)
            x = torch.empty((len(rows), *features), pin_memory=pinned)
            _gather(held, rows, block=samples.block, into=x)
            for block in stretch.last:
                del held[block]
            found = Samples(x, samples.y.index_select(0, rows))
            yield from found.to(device, non_blocking=pinned).cut(batch_size)

    return feed


@dataclass
class _Stretch:
    """The blocks that are needed here for the first, and for the last time."""

    first: list[int]
    last: list[int]


def _stretches(order: Tensor, *, chunk: int, block: int) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    latest: dict[int, int] = {}
    for place, rows in enumerate(torch.split(order, chunk)):
        needed = torch.unique(rows // block).tolist()
        stretches.append(_Stretch([one for one in needed if one not in latest], []))
        latest.update(dict.fromkeys(needed, place))
    for one, place in latest.items():
        stretches[place].last.append(one)
    return stretches


def _gather(held: dict[int, Tensor], rows: Tensor, *, block: int, into: Tensor) -> None:
    blocks, inside = rows // block, rows % block
    for one in torch.unique(blocks).tolist():
        here = (blocks == one).nonzero().squeeze(1)
        into.index_copy_(0, here, held[one].index_select(0, inside.index_select(0, here)))


def _by_thread(samples: Streamed) -> Fetch:
    reader = _Blocks(samples)

    def fetch(blocks: Sequence[int]) -> Iterator[Tensor]:
        return ahead(reader.read, blocks, by=_AHEAD)

    return fetch


def _by_processes(samples: Streamed, workers: int) -> Fetch:
    numbers = _Numbers()
    context = multiprocessing.get_context(_METHOD)
    context.set_forkserver_preload([__name__])
    loader: DataLoader[Tensor | str] = DataLoader(
        _Blocks(samples),
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        collate_fn=as_it_is,
        persistent_workers=True,
        # its base seed must not come from the global generator, from which dropout draws
        generator=generator(0),
        multiprocessing_context=context,
    )

    def fetch(blocks: Sequence[int]) -> Iterator[Tensor]:
        numbers.blocks = blocks
        for found in loader:
            if isinstance(found, str):
                raise InvalidData(found)
            yield found

    return fetch


class _Numbers:
    """The blocks of the epoch at hand, in the order in which they are needed."""

    def __init__(self) -> None:
        self.blocks: Sequence[int] = ()

    def __iter__(self) -> Iterator[int]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)


class _Blocks(Dataset[Tensor | str]):
    """The features, block by block; without the targets, which need not travel."""

    def __init__(self, samples: Streamed) -> None:
        self._read, self._block, self._size = samples.read, samples.block, samples.size

    def __len__(self) -> int:
        return len(range(0, self._size, self._block))

    def __getitem__(self, number: int) -> Tensor | str:
        """What went wrong comes as words: an error would lose its type on the way."""
        try:
            return self.read(number)
        except InvalidData as error:
            return str(error)

    def read(self, number: int) -> Tensor:
        """The features of this block's samples."""
        start = number * self._block
        return self._read(np.arange(start, min(self._size, start + self._block)))
