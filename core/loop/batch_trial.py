"""A batch size found by trying: the largest power of two whose steps fit into the memory there is."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch

from core.device import memory_left
from core.loop.failures import is_out_of_memory
from core.loop.room import room, within
from core.loop.run import Run
from core.loop.step import take_step
from core.spec import JobSpec
from core.spec.found import batch_sizes, bytes_with

Assemble = Callable[[int], Run]
"""Makes a fresh run with this batch size, of no use afterwards."""
_STEPS = 2
"""The optimizer's state is there from the first step on: the second one takes the most."""


def largest_batch(spec: JobSpec, fresh: Assemble, device: torch.device) -> int:
    """The largest power of two that is at most a fifth of what trains and within the bounds, and fits.

    It begins with the largest that fits by arithmetic, and doubles or halves that as long as steps do, or do not.
    Raises what the allocator raised where not even one sample fits.
    """
    sizes = batch_sizes(spec)
    free = room() if device.type == "cpu" else memory_left(device)
    promising = [size for size in sizes if free is None or bytes_with(spec, size) <= free] or sizes[:1]
    place = len(promising) - 1
    if _fits(fresh, sizes[place], device):
        while place + 1 < len(sizes) and _fits(fresh, sizes[place + 1], device):
            place += 1
        return sizes[place]
    while place and not _fits(fresh, sizes[place - 1], device):
        place -= 1
    return sizes[max(0, place - 1)]


def _fits(fresh: Assemble, size: int, device: torch.device) -> bool:
    """Whether there is memory for steps with batches of this size; one sample must fit."""
    try:
        with within(room() if device.type == "cpu" else None):
            _try(fresh(size))
        fits = True
    except (MemoryError, OSError, RuntimeError) as error:
        if size == 1 or not is_out_of_memory(error):
            raise
        fits = False
    if not fits:
        gc.collect()  # outside of the except clause, where nothing holds the step's tensors any more
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return fits


def _try(run: Run) -> None:
    run.model.train()
    batch = next(run.batches())
    for _ in range(_STEPS):
        take_step(run, batch)
