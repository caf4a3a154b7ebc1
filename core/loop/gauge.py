"""How much memory a run takes: its tensors counted, and the peak as the system or the device tells it."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from core.events import Measured
from core.loop.averaging import Average
from core.loop.groups import trainable
from core.loop.room import proc
from core.usage import Memory


class Measurable(Protocol):
    """What has tensors that stay from step to step: a run."""

    @property
    def model(self) -> nn.Module: ...  # noqa: D102

    @property
    def optimizer(self) -> Optimizer: ...  # noqa: D102

    @property
    def average(self) -> Average: ...  # noqa: D102


class Gauge:
    """Measures a run; it is made before the run, so that what the process held by then can be told apart."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._baseline = _held(device, peak=False)
        self._told: Memory | None = None

    def news(self, run: Measurable) -> Iterator[Measured]:
        """What the run takes, when that is not what was told last."""
        memory = self.memory(run)
        if memory != self._told:
            self._told = memory
            yield Measured(memory)

    def memory(self, run: Measurable) -> Memory:
        """What the run takes; gradients and optimizer state are there behind its first step.

        The weights are those that train and their average, where there is one.
        """
        weights = [*run.model.parameters(), *(run.average.model.parameters() if run.average.model else ())]
        return Memory(
            weights_bytes=tensor_bytes(weights),
            gradients_bytes=tensor_bytes(trainable(run.model)),  # each has a gradient of its own size
            optimizer_bytes=tensor_bytes(run.optimizer.state),
            peak_bytes=_held(self._device, peak=True),
            baseline_bytes=self._baseline,
        )

    def risen(self, memory: Memory) -> Memory:
        """`memory` with the peak as it is by now."""
        return replace(memory, peak_bytes=_held(self._device, peak=True))


def tensor_bytes(value: Any) -> int:
    """Bytes of all the tensors in `value`, through the values of mappings and whatever else can be iterated."""
    if isinstance(value, Tensor):
        return value.nbytes
    inner = value.values() if isinstance(value, Mapping) else value
    return sum(map(tensor_bytes, inner)) if isinstance(inner, Iterable) and not isinstance(inner, str) else 0


def _held(device: torch.device, *, peak: bool) -> int:
    """Bytes held now, or at most so far: on a GPU what torch allocated there, else the process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) if peak else torch.cuda.memory_allocated(device)
    # in a forked child both begin with the pages that it shares with its parent; ru_maxrss is inherited through exec
    if (found := proc("self/status", "VmHWM" if peak else "VmRSS")) is not None:
        return found
    # macOS knows only the peak, in bytes; there a child is a process of its own, which held no more by then
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
