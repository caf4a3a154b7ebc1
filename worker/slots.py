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
    """Numbered places where one job each can run; a call that found none free is not forgotten."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = threading.Condition()
        self._free = set(range(count))
        self._asked = 0
        self._closed = False

    def ask(self) -> None:
        """Someone heard that there is work."""
        with self._lock:
            self._asked += 1

    def take(self) -> tuple[int, int] | None:
        """The first free slot, and how often was asked by then; None when all are taken or closed."""
        with self._lock:
            if self._closed or not self._free:
                return None
            slot = min(self._free)
            self._free.remove(slot)
            return slot, self._asked

    def free(self, slot: int, *, asked: int) -> bool:
        """Give a slot back; whether someone asked since `asked`, and may have found no free one."""
        with self._lock:
            self._free.add(slot)
            self._lock.notify_all()
            return self._asked != asked

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
