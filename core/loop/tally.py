"""The losses of one epoch, left on the device until all are read at once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from core.loading.samples import Samples

_STACK = 1024
"""Losses that are held one by one; beyond, they are put together, four bytes each."""


class Tally:
    """Counts what an epoch did: its losses, its samples, its seconds and those that it waited for data.

    Adding a loss costs no reading and no arithmetic on the device. An epoch that was interrupted goes on counting
    from its state.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.waited_s = 0.0
        self.lr: float | None = None
        """The learning rate of the epoch's first step."""
        self._before_s = 0.0
        self._started: float | None = None
        self._sizes: list[int] = []
        self._recent: list[Tensor] = []
        self._stacks: list[Tensor] = []

    def start(self, *, lr: float) -> None:
        """The epoch begins, or goes on, now."""
        self._started = time.perf_counter()
        if self.lr is None:
            self.lr = lr

    @property
    def seconds(self) -> float:
        """How long the epoch has trained, over all attempts at it."""
        return self._before_s + (0.0 if self._started is None else time.perf_counter() - self._started)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done in here does not count as time of the epoch."""
        began = time.perf_counter()
        try:
            yield
        finally:
            if self._started is not None:
                self._started += time.perf_counter() - began

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
        losses = self._losses().tolist()
        for loss in losses:
            if not math.isfinite(loss):
                return float(loss)
        return math.fsum(loss * size for loss, size in zip(losses, self._sizes, strict=True)) / self.samples

    def state_dict(self) -> dict[str, Any]:
        """What was counted so far."""
        times = {"lr": self.lr, "seconds": self.seconds, "waited_s": self.waited_s}
        return {**times, "losses": self._losses(), "sizes": torch.tensor(self._sizes, dtype=torch.int32)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have counted what `state` says."""
        self.lr, self._before_s, self.waited_s = state["lr"], state["seconds"], state["waited_s"]
        self._sizes = state["sizes"].tolist()
        self.samples = sum(self._sizes)
        self._recent, self._stacks = [], [state["losses"]] if self._sizes else []

    def _losses(self) -> Tensor:
        self._stack()
        return torch.cat([stack.cpu() for stack in self._stacks]) if self._stacks else torch.empty(0)

    def _stack(self) -> None:
        if self._recent:
            self._stacks.append(torch.stack(self._recent))
            self._recent = []
