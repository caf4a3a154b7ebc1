"""The processes that train one run together, as each of them sees the others; alone nothing is asked of anybody."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Told = TypeVar("Told")


class Peers:
    """A run of one process: it leads, has every sample of a batch, and decides by itself."""

    rank = 0
    size = 1
    sharding: str | None = None
    """How the weights lie in the processes; None: there are no others."""

    @property
    def leads(self) -> bool:
        """Whether this process tells, writes and decides."""
        return self.rank == 0

    def part(self, samples: int) -> slice:
        """Which `samples` of a batch are this process's: runs as even as can be, the first ones the longer."""
        short, longer = divmod(samples, self.size)
        begins = self.rank * short + min(self.rank, longer)
        return slice(begins, begins + short + (self.rank < longer))

    def longest_part(self, samples: int) -> int:
        """The most of so many `samples` that one process has."""
        return -(-samples // self.size)

    def agree(self, *wishes: bool) -> tuple[bool, ...]:
        """The leader's wishes, the same in every process."""
        return wishes

    def all(self, holds: bool) -> bool:  # noqa: FBT001
        """Whether it holds in every process."""
        return holds

    def told(self, value: Told) -> Told:
        """The leader's value, in every process."""
        return value

    def gathered(self, value: Told) -> list[Told]:
        """The value of each process, by rank, in every process."""
        return [value]

    def total(self, count: int) -> int:
        """The sum of all processes' counts."""
        return count

    @property
    def shards(self) -> bool:
        """Whether each process has a piece of every weight only."""
        return self.sharding == "fsdp"

    def share_out(self, model: nn.Module) -> None:
        """Keep only this process's pieces of the weights, where they are in pieces."""

    def weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The weights by name, whole."""
        return model.state_dict()

    def put(self, model: nn.Module, weights: Mapping[str, Tensor]) -> None:
        """Let the model have these weights, which are whole."""
        model.load_state_dict(weights)

    def take_over(self, old: nn.Module, new: nn.Module, optimizer: Optimizer) -> None:
        """Let `new` have the very weights of `old`, which is built like it, and `optimizer` move them there."""
        del optimizer  # it has hold of them
        new.load_state_dict(old.state_dict(keep_vars=True), assign=True)

    def around(self, model: nn.Module) -> nn.Module:
        """What to call for a forward pass whose backward pass adds up the gradients of all processes."""
        return model

    def unsummed(self, model: nn.Module) -> AbstractContextManager[None]:
        """In here gradients are only added to one's own: another piece of the batch follows."""
        del model
        return nullcontext()


ALONE = Peers()


def order_of(peers: Peers, order: Tensor, *, batch_size: int) -> Tensor:
    """The part of `order` (int64, its batches one after another) that is this process's: its part of each batch."""
    if peers.size == 1:
        return order
    whole = len(order) // batch_size * batch_size
    own, last = peers.part(batch_size), order[whole:]
    return torch.cat([order[:whole].view(-1, batch_size)[:, own].reshape(-1), last[peers.part(len(last))]])
