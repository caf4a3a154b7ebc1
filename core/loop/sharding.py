"""Weights in pieces (FSDP2, `torch.distributed.fsdp`): each process keeps its part, and whole they are written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from core.errors import InvalidSpec


def shard(model: nn.Module, device: torch.device, size: int) -> None:
    """Cut the weights of `model` into `size` pieces each, of which this process keeps one; they meet block by block.

    Raises InvalidSpec for a model whose layers do not ask for their weights anew.
    """
    if any(isinstance(layer, nn.RNNBase) for layer in model.modules()):
        told = "The kernels of recurrent layers hold their weights in one piece."
        raise InvalidSpec(told, hint='Take sharding "ddp", or another model.', param="/resources/sharding")
    mesh = init_device_mesh(device.type, (size,))
    for blocks in reversed([layer for layer in model.modules() if isinstance(layer, nn.ModuleList)]):
        for block in blocks:
            if any(weight.requires_grad for weight in block.parameters()):
                fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)


def take_over(old: nn.Module, new: nn.Module, optimizer: Optimizer, *, share_out: Callable[[nn.Module], None]) -> None:
    """Cut `new`, which is built like `old`, and give it the pieces of that; `optimizer` then moves these."""
    for before, after in zip(old.parameters(), new.parameters(), strict=True):
        after.requires_grad_(before.requires_grad)
    share_out(new)
    new.load_state_dict(old.state_dict())
    taken: dict[Tensor, Tensor] = dict(zip(old.parameters(), new.parameters(), strict=True))
    for group in optimizer.param_groups:
        group["params"] = [taken[weight] for weight in group["params"]]
    kept = {taken[weight]: state for weight, state in optimizer.state.items()}
    optimizer.state.clear()
    optimizer.state.update(kept)


def whole(value: Any) -> Any:
    """`value` with every piece in it put together; all processes ask at once."""
    if isinstance(value, DTensor):
        return value.full_tensor()
    if isinstance(value, Mapping):
        return {name: whole(one) for name, one in value.items()}
    return type(value)(map(whole, value)) if isinstance(value, list | tuple) else value


@contextmanager
def unsummed(model: nn.Module) -> Iterator[None]:
    """In here gradients stay where they are found."""
    parted = cast(FSDPModule, model)
    parted.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        parted.set_requires_gradient_sync(True)


class Weights:
    """A model's weights as one process has them all."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, whole."""
        found: dict[str, Tensor] = whole(self._model.state_dict())
        return found

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take one's own pieces of these."""
        here = self._model.state_dict()
        self._model.load_state_dict({name: _like(here[name], tensor) for name, tensor in state.items()})


class OptimizerState:
    """An optimizer's state as one process has it, so that any number of devices can go on with it."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def state_dict(self) -> dict[str, Any]:
        """The state, whole."""
        found: dict[str, Any] = whole(self._optimizer.state_dict())
        return found

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take one's own pieces of it."""
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        parted = {
            number: {name: _like(weights[number], value) for name, value in kept.items()}
            for number, kept in state["state"].items()
        }
        self._optimizer.load_state_dict({**state, "state": parted})


def _like(there: Tensor, value: Any) -> Any:
    """`value` in the pieces of `there`, if it has its shape; what is of another one (a count of steps) stays whole."""
    if not isinstance(there, DTensor) or not isinstance(value, Tensor) or value.shape != there.shape:
        return value
    return distribute_tensor(value.to(there.device), there.device_mesh, there.placements)
