"""What each process of a run has of its own, put together where it is written down and dealt out where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from core.loop.peers import Peers
from core.loop.randomness import Randomness
from core.loop.tally import Tally


def counted_by_all(tally: Tally, peers: Peers) -> Tally:
    """The epoch's count with the losses of every process."""
    if peers.size == 1:
        return tally
    whole = Tally()
    whole.load_state_dict(Counts(tally, peers).state_dict())
    return whole


class Counts:
    """The losses that all processes have counted; on the way back the leader takes them all, so that none is lost."""

    def __init__(self, tally: Tally, peers: Peers) -> None:
        self._tally, self._peers = tally, peers

    def state_dict(self) -> dict[str, Any]:
        """The tally's own state, with the losses and sizes of every process one after another."""
        own = self._tally.state_dict()
        each = self._peers.gathered((own["losses"], own["sizes"]))
        return {**own, "losses": torch.cat([one for one, _ in each]), "sizes": torch.cat([one for _, one in each])}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have counted what `state` says, or nothing where another leads."""
        nothing = {} if self._peers.leads else {"losses": state["losses"][:0], "sizes": state["sizes"][:0]}
        self._tally.load_state_dict({**state, **nothing})


class Generators:
    """Where the generators of every process stand; one that was not there before keeps its own."""

    def __init__(self, device: torch.device, peers: Peers) -> None:
        self._randomness, self._peers = Randomness(device), peers

    def state_dict(self) -> dict[str, Any]:
        """The first process's state, and those of the others by rank."""
        first, *others = self._peers.gathered(self._randomness.state_dict())
        return {**first, "others": others}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put this process's generators where `state` says."""
        every = [state, *state.get("others", ())]
        if self._peers.rank < len(every):
            self._randomness.load_state_dict(every[self._peers.rank])
