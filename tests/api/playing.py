"""A run played by hand: what a worker would record and ring, without any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.bell import WatchBell
from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.events import Checkpointed, EpochDone, Failed, Finished, Logged, RunEvent, Started, Stopped
from core.ids import new_id
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Job, Progress, Reason, Worker
from core.spec import parse_spec
from core.store import Store

SPEC: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "hidden": [8]}, "epochs": 5}
WORKER = Worker("worker_a", "node-a", ("cpu",), 4, ("cpu",))


def epoch(number: int, *, loss: float | None = None, best: bool = True) -> EpochDone:
    """An epoch's row whose losses fall, unless told."""
    train = 1.0 / number if loss is None else loss
    row = EpochRow(
        epoch=number,
        train_loss=train,
        val_loss=train * 1.1,
        metrics={"val_accuracy": 0.9},
        lr=0.1,
        epoch_s=0.5,
        samples_per_s=1000.0,
        data_wait_s=0.01,
    )
    return EpochDone(row, best=best)


def started() -> Started:
    """The run is assembled."""
    return Started("cpu", 610, 45, 5, 1437, 360, 1, {"torch": "2.13.0"})


def lines(*texts: str) -> Logged:
    """Lines that the run printed."""
    return Logged(texts)


def step(number: int, *, epoch: int = 1) -> Progress:
    """How far the run is."""
    return Progress(epoch=epoch, epochs=5, step=number, steps=45, eta_s=1.5)


def checkpointed(folder: str, *, epoch: int, step: int = 0) -> Checkpointed:
    """A checkpoint lies below the artifacts folder, or so it is told."""
    files = (CheckpointFile("model.safetensors", 2440, "a" * 64), CheckpointFile("state.pt", 9000, "b" * 64))
    return Checkpointed(Checkpoint(new_id("ckpt"), folder, epoch, step, Occasion.EPOCH, files, attempt=1))


def diverged() -> Failed:
    """The run failed for good."""
    return Failed(Reason.DIVERGED, ErrorInfo("diverged", "The cost became NaN in epoch 2.", "Lower lr.", "/lr"))


def finished(*artifacts: Artifact) -> Finished:
    """The run succeeded."""
    return Finished(Reason.COMPLETED, artifacts)


@dataclass
class Play:
    """Queues jobs in a store, claims them and records what their runs tell, ringing as a worker does."""

    store: Store
    bell: WatchBell
    claims: dict[str, Claim] = field(default_factory=dict)

    def queued(self, **spec: Any) -> Job:
        """A job that waits."""
        return self.store.add(parse_spec({**SPEC, **spec}))

    def running(self, **spec: Any) -> Job:
        """A job whose run has begun."""
        job = self.queued(**spec)
        while job.id not in self.claims:
            claim = self.store.claim(WORKER)
            assert claim is not None
            self.claims[claim.job_id] = claim
        self.tell(job, started())
        return self.store.job(job.id)

    def tell(self, job: Job, *events: RunEvent) -> None:
        """Record what the run told, in one transaction, and ring."""
        self.store.record(self.claims[job.id], events)
        self.bell.ring(job.id)

    def stop(self, job: Job) -> Job:
        """The run stops as it was asked to, and its worker gives the job back."""
        self.tell(job, Stopped())
        self.store.release(self.claims.pop(job.id))
        self.bell.ring(job.id)
        return self.store.job(job.id)

    def failed(self, *, after: int = 2, **spec: Any) -> Job:
        """A job that has failed after some epochs, each with a checkpoint."""
        job = self.running(**spec)
        for number in range(1, after + 1):
            self.tell(job, epoch(number), checkpointed(f"{job.id}/checkpoints/1/{number:06d}-00000000", epoch=number))
        self.tell(job, diverged())
        return self.store.job(job.id)

    def ended(self, *, epochs: int = 3, **spec: Any) -> Job:
        """A job that has succeeded after some epochs."""
        job = self.running(**spec)
        self.tell(job, *(epoch(number + 1) for number in range(epochs)))
        self.tell(job, finished())
        return self.store.job(job.id)


@dataclass
class WorkBellFake:
    """Remembers which queues were rung."""

    rung: list[str | None] = field(default_factory=list)

    def ring(self, queue: str | None) -> None:
        self.rung.append(queue)


@dataclass
class NodeFake:
    """An embedded node with fixed devices."""

    there: tuple[str, ...] = ("cpu",)

    @property
    def slots(self) -> list[Any]:
        return [{"device": device, "state": "warm"} for device in self.there]

    def devices(self, timeout: float) -> tuple[str, ...]:
        assert timeout > 0
        return self.there


def sse(text: str) -> list[dict[str, str]]:
    """A stream's events as fields by name; comments and `retry` left out."""
    found = [dict(_field(line) for line in block.splitlines() if line[:1] != ":") for block in text.split("\n\n")]
    return [event for event in found if "data" in event]


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value


def ids(events: list[Mapping[str, str]] | list[dict[str, str]]) -> list[int]:
    """The ids of the events that have one."""
    return [int(event["id"]) for event in events if "id" in event]
