"""What a run is worked on with: its order, the process that takes it up, and what of the store it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.bell import WatchBell
from core.checkpoint import Checkpoint, Stage
from core.events import RunEvent
from core.housekeeping import FileStore
from core.job import Claim, ErrorInfo, Reason, Status, Worker
from core.room import Room
from core.settings import Settings
from core.shelf import Folders
from core.supervision.endings import Exit
from core.supervision.runs import Runs


@dataclass(frozen=True, slots=True)
class Order:
    """What a training process is told: the spec, where its data, files and checkpoints are, what it can go on from.

    `resolved` are the numbers that an earlier attempt found where the spec says "auto". It trains on `device` and ends
    when its supervisor was silent for `lease_s` and another `heartbeat_s`.
    """

    spec: Mapping[str, Any]
    folder: Path
    device: str
    cache: Path
    checkpoints: Path
    candidates: tuple[Checkpoint, ...] = ()
    lineage: tuple[Stage, ...] = ()
    lease_s: float = 12.0
    heartbeat_s: float = 3.0
    datasets: Folders | None = None
    devices: tuple[str, ...] = ()
    """Each process's device, where several train together."""
    nodes: int = 1
    rendezvous: str = ""
    """Where those of several nodes meet, `host:port`."""
    resolved: Mapping[str, float] = field(default_factory=dict)
    probe: bool = False
    """Whether it is only tried out."""


class Child(Protocol):
    """A training process at work; one thread reads and closes it."""

    def read(self) -> Sequence[RunEvent] | None:
        """Wait, then everything it has told since; None once it is gone and all was read."""

    def kill(self) -> None:
        """End it and the processes it started, at once; from any thread, also when it is gone."""

    def ask_stop(self) -> None:
        """Ask it to keep a checkpoint and end; from any thread, also when it is gone; never waits."""

    def ping(self) -> None:
        """Tell it that its supervisor lives; from any thread, also when it is gone; never waits."""

    def close(self) -> Exit:
        """Kill it, wait until it is gone and let its pipes go; says how it ended."""


class Launcher(Protocol):
    """Where training processes come from."""

    def launch(self, order: Order) -> Child:
        """A process that takes up `order`."""


class Seat(Protocol):
    """The slot that is offered to a run; a job of several devices takes others beside it."""

    @property
    def slots(self) -> tuple[int, ...]:
        """The numbers of its slots."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The device of each of its slots."""

    def claim(self, take: Callable[[Room], Claim | None]) -> Claim | None:
        """What `take` gives for the room that there is; the slots that it needs are its own then."""


class RunStore(FileStore, Protocol):
    """What a run needs of the store."""

    def claim(self, worker: Worker, *, device: str | None = None, room: Room | None = None) -> Claim | None:
        """Take the best queued job that the worker can run, if there is room for it."""

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store what a run told; raises ClaimLost."""

    def release(
        self,
        claim: Claim,
        *,
        error: ErrorInfo | None = None,
        reason: Reason | None = None,
        run_s: float | None = None,
    ) -> Status:
        """Give the job back; raises ClaimLost."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What runs are worked on with: the store, the processes, the watchers' bell, the settings, its runs."""

    store: RunStore
    launcher: Launcher
    bell: WatchBell
    settings: Settings
    runs: Runs

    @property
    def root(self) -> Path:
        """The artifacts folder."""
        return self.settings.artifacts
