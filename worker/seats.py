"""The seat of a run: the slot that it takes, and those beside it where its job trains on several devices.

Nobody waits with a slot in hand. One thread of a node looks for a job at a time; what it finds gets all the slots that
it needs or is left where it is. As long as that job is the best, no lesser one is taken in its place: slots stay free
as they come, until there are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.job import Claim
from core.room import Room, devices_of, nodes_of
from worker.slots import Slots

T = TypeVar("T")


class Seat:
    """Slots of a node, whose `devices` are given by number; none before there is a job for them."""

    def __init__(self, all_slots: Slots, devices: Sequence[str]) -> None:
        self._all, self._devices = all_slots, devices
        self.slots: tuple[int, ...] = ()

    @property
    def devices(self) -> tuple[str, ...]:
        """The device of each of its slots."""
        return tuple(self._devices[slot] for slot in self.slots)

    def claim(self, take: Callable[[Room], Claim | None]) -> Claim | None:
        """What `take` gives for the room that there is; as many slots are then its own as that job has devices."""
        with self._all.claiming:
            free = self._all.free_ones()
            if not free:
                return None
            apart = self._apart(free)
            self._keep(free[:1])  # whoever waits until all are idle waits for this look
            claim = take(Room(len(free), len(apart)))
            self._keep(self._for(claim, free, apart) if claim is not None else ())
            return claim

    def hold(self, take: Callable[[], T | None]) -> T | None:
        """What `take` gives, if a slot is free; one is then its own."""
        with self._all.claiming:
            free = self._all.free_ones()
            self._keep(free[:1])
            found = take() if free else None
            self._keep(free[:1] if found is not None else ())
            return found

    def leave(self) -> int:
        """Give the slots back; how many there were."""
        count = len(self.slots)
        self._all.give_back(self.slots)
        self.slots = ()
        return count

    def _for(self, claim: Claim, free: Sequence[int], apart: Sequence[int]) -> Sequence[int]:
        """The slots that the job needs; one of several nodes has all, and its devices in the first."""
        wanted = list(free if claim.device == "cpu" else apart)[: devices_of(claim.spec)]
        return [*wanted, *(slot for slot in free if slot not in wanted)] if nodes_of(claim.spec) > 1 else wanted

    def _keep(self, slots: Sequence[int]) -> None:
        self._all.take(slots)
        self._all.give_back(set(self.slots) - set(slots))
        self.slots = tuple(slots)

    def _apart(self, free: Sequence[int]) -> list[int]:
        """The first free slot with each of the GPUs; without GPUs every one of them."""
        seen: set[str] = set()
        apart = []
        for slot in free:
            device = self._devices[slot]
            if device not in seen or not device.startswith("cuda:"):
                apart.append(slot)
            seen.add(device)
        return apart
