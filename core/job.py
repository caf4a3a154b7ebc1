"""The plain words of the service: a job, its status, its epochs and events, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.checkpoint import Checkpoint, Stage


class Status(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the job will never change again."""
        return self in ENDED

    @property
    def stands(self) -> str:
        """What a sentence says of the job: "has failed", "is queued"."""
        return f"has {self}" if self in (Status.SUCCEEDED, Status.FAILED) else f"is {self}"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
HELD = frozenset({Status.RUNNING, Status.PAUSING, Status.CANCELLING})
"""The statuses in which a worker holds a claim on the job."""


class Reason(StrEnum):
    """Why a job has its status: a closed list."""

    COMPLETED = "completed"
    EARLY_STOPPED = "early_stopped"
    CONVERGED = "converged"
    CANCELLED_BY_USER = "cancelled_by_user"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    WORKER_LOST = "worker_lost"
    RETRY_LIMIT = "retry_limit"
    STALLED = "stalled"
    STORAGE_FULL = "storage_full"
    INVALID_DATA = "invalid_data"
    INVALID_SPEC = "invalid_spec"
    KILLED_BY_SIGNAL = "killed_by_signal"
    INTERNAL_ERROR = "internal_error"
    PAUSED_BY_USER = "paused_by_user"
    WORKER_DRAINED = "worker_drained"
    LEASE_EXPIRED = "lease_expired"


class EventType(StrEnum):
    """What an entry of a job's log tells; `progress` is sent live only, never stored."""

    STATUS = "status"
    STARTED = "started"
    EPOCH = "epoch"
    CHECKPOINT = "checkpoint"
    LOG = "log"
    NOTICE = "notice"
    DIAGNOSIS = "diagnosis"
    END = "end"
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request: where (JSON Pointer), what, and what is allowed."""

    pointer: str
    message: str
    allowed: Any = None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """Why a job failed and what to change in its spec (`param` is a JSON Pointer)."""

    code: str
    message: str
    hint: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `epoch` counts from 1, `step` within the epoch; `eta_s` in seconds."""

    epoch: int
    epochs: int
    step: int
    steps: int
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch's figures; losses are means over samples, `*_s` are seconds.

    `metrics` holds `val_<metric>`. Non-finite numbers are stored exactly.
    """

    epoch: int
    train_loss: float
    val_loss: float | None
    metrics: Mapping[str, float]
    lr: float
    epoch_s: float
    samples_per_s: float
    data_wait_s: float
    fold: int | None = None
    """Which fold of a cross-validation it is of, from 1; None without folds."""
    seed: int | None = None
    """Which of several seeds it is of; None of a job with one."""

    def figures(self) -> dict[str, float]:
        """The numbers that a recomputation must reproduce, by their public names."""
        losses = {"train_loss": self.train_loss}
        if self.val_loss is not None:
            losses["val_loss"] = self.val_loss
        return {**losses, **self.metrics, "lr": self.lr}

    def public(self) -> dict[str, float | int]:
        """The row as clients see it: `epoch`, the `fold` or `seed` of several, the figures, then the times."""
        times = {"epoch_s": self.epoch_s, "samples_per_s": self.samples_per_s, "data_wait_s": self.data_wait_s}
        return {"epoch": self.epoch, **self.round(), **self.figures(), **times}

    def round(self) -> dict[str, int]:
        """Which of a job's trainings it is of, where there are several."""
        return {name: place for name, place in (("fold", self.fold), ("seed", self.seed)) if place is not None}


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a job's log: `seq` is gapless from 1, `data` is JSON text in its wire form."""

    job_id: str
    seq: int
    at: datetime
    type: EventType
    data: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job made; `path` is relative to the artifacts folder."""

    name: str
    path: str
    media_type: str
    bytes: int
    sha256: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of status: when, why and by whom (`user`, `worker`, `service`)."""

    status: Status
    at: datetime
    reason: Reason | None
    by: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to a job: every write of the run is fenced by `attempt`.

    `device` is what the spec asks for (`auto`, `cpu`, `cuda`, `cuda:N`, `mps`); `run_s` the seconds that earlier
    attempts ran, `resolved` the numbers that they found. `checkpoints` are those to go on from, the newest first;
    `lineage` the earlier parts of a forked job.
    """

    job_id: str
    attempt: int
    spec: Mapping[str, Any]
    device: str
    run_s: float = 0.0
    lineage: tuple[Stage, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    resolved: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job row: what was asked and how it stands; `resolved` is what its run found where the spec says "auto"."""

    id: str
    name: str
    status: Status
    status_reason: Reason | None
    spec: Mapping[str, Any]
    attempt: int
    version: int
    queue: str | None
    device: str
    progress: Progress | None
    latest: Mapping[str, Any] | None
    best: Mapping[str, Any] | None
    error: ErrorInfo | None
    labels: Mapping[str, str]
    parent: Mapping[str, Any] | None
    worker: str | None
    worker_device: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    transitions: tuple[Transition, ...] = ()
    inexact: str | None = None
    """Why the figures may differ in their last bits from an uninterrupted run's; None while they are equal."""
    test: Mapping[str, Any] | None = None
    """The figures of the test part, told at the end."""
    folds: Mapping[str, Any] | None = None
    """The figures of each fold with their mean and standard deviation, told at the end."""
    memory: Mapping[str, Any] | None = None
    """What its run takes, in bytes."""
    resolved: Mapping[str, float] | None = None
    seeds: Mapping[str, Any] | None = None
    """The same of each seed, with the 95 % confidence interval of the mean."""
    sharpness: Mapping[str, Any] | None = None
    """How much the cost rises about the weights that are kept, told at the end."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs jobs; alive while `heartbeat_at` is younger than a lease."""

    id: str
    name: str
    devices: tuple[str, ...]
    slots: int
    queues: tuple[str, ...]
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    jobs: tuple[str, ...] = field(default=())
    nodes: int = 1
