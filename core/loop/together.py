"""Several processes that train one run, by torch.distributed: what each one asks of the others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from core.loop.peers import Peers, Told

_PATIENCE = timedelta(days=30)
"""How long one waits for another: whether a run stands still is for who watches it to say."""


class Together(Peers):
    """One of the processes of a run; every method is called by all of them, in the same order.

    `leader` is the rank of the process that tells, writes and decides.
    """

    def __init__(
        self, device: torch.device, *, sharding: str = "ddp", leads: bool | None = None, meeting: str = "run"
    ) -> None:
        """Meet the others by what torch.distributed.run has put into the environment.

        Where they meet again, it is for another `meeting`: else who comes first finds where the others were before.
        """
        store, rank, size = next(rendezvous("env://", timeout=_PATIENCE))
        backend = f"cpu:gloo,{device.type}:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(
            backend,
            store=PrefixStore(meeting, store),
            rank=rank,
            world_size=size,
            timeout=_PATIENCE,
            device_id=device if device.type == "cuda" else None,
        )
        self.rank, self.size, self.sharding = dist.get_rank(), dist.get_world_size(), sharding
        self._device = device
        self._leader = 0
        self._leader = self.gathered(self.rank == 0 if leads is None else leads).index(True)
        self._wrapped: tuple[nn.Module, tuple[bool, ...], DistributedDataParallel] | None = None

    def leave(self) -> None:
        """Let the others go: another meeting may follow."""
        dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process tells, writes and decides."""
        return self.rank == self._leader

    def agree(self, *wishes: bool) -> tuple[bool, ...]:
        """The leader's wishes, the same in every process."""
        words = torch.tensor(wishes, dtype=torch.uint8)
        dist.broadcast(words, self._leader)
        return tuple(map(bool, words.tolist()))

    def all(self, holds: bool) -> bool:  # noqa: FBT001
        """Whether it holds in every process."""
        return self.total(int(holds)) == self.size

    def told(self, value: Told) -> Told:
        """The leader's value, in every process."""
        values = [value]
        dist.broadcast_object_list(values, self._leader, device=torch.device("cpu"))
        return values[0]

    def gathered(self, value: Told) -> list[Told]:
        """The value of each process, by rank, in every process."""
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def total(self, count: int) -> int:
        """The sum of all processes' counts."""
        counts = torch.tensor(count)
        dist.all_reduce(counts)
        return int(counts)

    def around(self, model: nn.Module) -> nn.Module:
        """What to call for a forward pass whose backward pass adds up the gradients of all processes."""
        return model if self.shards else self._around(model)

    def unsummed(self, model: nn.Module) -> AbstractContextManager[None]:
        """In here gradients are only added to one's own: another piece of the batch follows."""
        if self.shards:
            from core.loop import sharding

            return sharding.unsummed(model)
        return self._around(model).no_sync()

    def share_out(self, model: nn.Module) -> None:
        """Keep only this process's pieces of the weights, where they are in pieces."""
        if self.shards:
            from core.loop import sharding

            sharding.shard(model, self._device, self.size)

    def weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The weights by name, whole."""
        weights: dict[str, Tensor] = self._whole(model).state_dict()
        return weights

    def put(self, model: nn.Module, weights: Mapping[str, Tensor]) -> None:
        """Let the model have these weights, which are whole."""
        self._whole(model).load_state_dict(weights)

    def take_over(self, old: nn.Module, new: nn.Module, optimizer: Optimizer) -> None:
        """Let `new` have the very weights of `old`, which is built like it, and `optimizer` move them there."""
        if not self.shards:
            super().take_over(old, new, optimizer)
            return
        from core.loop import sharding

        sharding.take_over(old, new.to(self._device), optimizer, share_out=self.share_out)

    def _whole(self, model: nn.Module) -> Any:
        if not self.shards:
            return model
        from core.loop import sharding

        return sharding.Weights(model)

    def _around(self, model: nn.Module) -> DistributedDataParallel:
        trained = tuple(weight.requires_grad for weight in model.parameters())
        if self._wrapped is None or self._wrapped[0] is not model or self._wrapped[1] != trained:
            self._wrapped = None  # the hooks of the one before go with it
            self._wrapped = model, trained, self._adding_up(model)
        return self._wrapped[2]

    def _adding_up(self, model: nn.Module) -> DistributedDataParallel:
        places = [self._device] if self._device.type == "cuda" else None
        wrapped = DistributedDataParallel(model, device_ids=places, gradient_as_bucket_view=True)
        # Else the gradients are packed anew behind the first step, and of three processes and more they are then added
        # in another order: a run that goes on would differ in its last bits from one that never ended.
        wrapped.reducer._push_all_rebuilt_params()
        wrapped.reducer._rebuild_buckets()
        return wrapped
