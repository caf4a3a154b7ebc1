"""The slots of a node: how many jobs at a time, taken and freed by many threads."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Literal, TypedDict


class SlotView(TypedDict):
    """A slot as `/readyz` shows it."""

    device: str
    state: Literal["warming", "warm", "busy"]


class Slots:
    """Numbered places where one job each can run; a job of several devices takes several."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.claiming = threading.Lock()
        """Held by who looks for a job, from the slot that it takes to what it found: so all others are free or run."""
        self._lock = threading.Condition()
        self._free = set(range(count))
        self._closed = False

    def free_ones(self) -> list[int]:
        """The slots that can be taken, in their order."""
        with self._lock:
            return [] if self._closed else sorted(self._free)

    def any_free(self) -> bool:
        """Whether a slot can be taken, once nobody looks for a job: who does has one, and may have looked too early."""
        with self.claiming:
            return bool(self.free_ones())

    def take(self, slots: Collection[int]) -> None:
        """Take slots that are free."""
        with self._lock:
            self._free -= set(slots)

    def give_back(self, slots: Collection[int]) -> None:
        """Let others take these slots."""
        with self._lock:
            self._free |= set(slots)
            self._lock.notify_all()

    def close(self) -> None:
        """Give no slot any more."""
        with self._lock:
            self._closed = True

    def wait_idle(self, timeout: float) -> bool:
        """Wait until every slot was given back; whether all were."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._free) == self.count, timeout)


def view(devices: Sequence[str], *, busy: Collection[int], warm: bool) -> list[SlotView]:
    """Each slot's device and state; `warm` says whether a child stands ready."""
    idle: Literal["warm", "warming"] = "warm" if warm else "warming"
    return [SlotView(device=device, state="busy" if slot in busy else idle) for slot, device in enumerate(devices)]
