"""The global generators that a run may draw from, as one part of its state."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from core.loading.order import generator


def seed_all(seed: int) -> None:
    """Seed every global generator: torch's on all devices, and those that a part from elsewhere may draw from."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def part_ways(seed: int, rank: int) -> None:
    """Seed the generators of one process of several by its rank; the first one goes on as if it were alone."""
    if rank:
        seed_all(generator(seed, "rank", rank).initial_seed() % 2**63)


class Randomness:
    """Where torch's generators (CPU, every GPU, Apple's), numpy's legacy one and Python's stand.

    A run that goes on on another GPU takes its own stream there with it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def state_dict(self) -> dict[str, Any]:
        """The generators' states, as plain values and tensors."""
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if _has_cuda() else [],
            "own": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
            "mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
            "numpy": _numpy_state(),
            "python": random.getstate(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the generators that this machine has where `state` says; the others keep theirs."""
        torch.set_rng_state(state["torch"])
        if _has_cuda():
            for index, stored in enumerate(state["cuda"][: torch.cuda.device_count()]):
                torch.cuda.set_rng_state(stored, index)
        if state["own"] is not None and self._device.type == "cuda":
            torch.cuda.set_rng_state(state["own"], self._device)
        if state["mps"] is not None and torch.backends.mps.is_available():
            torch.mps.set_rng_state(state["mps"])
        _set_numpy_state(state["numpy"])
        random.setstate(state["python"])


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Whatever is drawn in here, the generators go on as if it had not been."""
    here = Randomness(device)
    before = here.state_dict()
    try:
        yield
    finally:
        here.load_state_dict(before)


def _has_cuda() -> bool:
    """Whether this process uses CUDA; one that does not is spared its start."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _numpy_state() -> dict[str, Any]:
    state: Any = np.random.get_state(legacy=False)
    key = torch.from_numpy(state["state"]["key"].astype(np.int64))
    return {**state, "state": {"key": key, "pos": state["state"]["pos"]}}


def _set_numpy_state(state: Mapping[str, Any]) -> None:
    key = state["state"]["key"].numpy().astype(np.uint32)
    np.random.set_state({**state, "state": {"key": key, "pos": state["state"]["pos"]}})
