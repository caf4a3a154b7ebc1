"""How many devices one job may have at a worker."""

from __future__ import annotations

from typing import NamedTuple

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
