"""How many devices one job has, and may have at a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.job import Worker


class Room(NamedTuple):
    """Devices for a job: as processes on its CPUs, or of the best kind that it has."""

    slots: int
    devices: int

    @classmethod
    def of(cls, worker: Worker) -> Room:
        """All the room of `worker`: with GPUs, as many of them as it has slots."""
        gpus = sum(name.startswith("cuda:") for name in worker.devices)
        return cls(worker.slots, min(worker.slots, gpus) or worker.slots)

    def holds(self, devices: int, *, kind: str) -> bool:
        """Whether so many devices of this kind are here; a job that names no CPU has the best kind."""
        return devices <= (self.slots if kind == "cpu" else self.devices)


def devices_of(spec: Mapping[str, Any]) -> int:
    """How many devices a job with this spec trains on at a time, on each of its nodes."""
    return int(spec.get("resources", {}).get("devices", 1))


def nodes_of(spec: Mapping[str, Any]) -> int:
    """On how many nodes a job with this spec trains."""
    return int(spec.get("resources", {}).get("nodes", 1))
