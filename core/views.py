"""What the API shows: the public models that the server documents and the Python client reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from core.job import EventType, Reason, Status

T = TypeVar("T")
NonFinite = Literal["nan", "inf", "-inf"]


class View(BaseModel):
    """A public value; a field that a later server adds does not break an older client."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProgressView(View):
    """How far a run is: `epoch` counts from 1, `step` within the epoch, `eta_s` in seconds."""

    epoch: int
    epochs: int
    step: int
    steps: int
    eta_s: float | None = None


class QueueView(View):
    """Where a job waits: `position` 1 is next; `waiting_for` names what no live worker offers.

    Both are told of a job by itself, not in lists.
    """

    name: str | None = None
    position: int | None = None
    waiting_for: str | None = None


class EpochView(View):
    """One epoch's figures, with `val_<metric>` beside the named ones.

    A number that JSON cannot hold is null and named under `nonfinite`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    epoch: int = Field(ge=1)
    train_loss: float | None = None
    val_loss: float | None = None
    lr: float | None = None
    epoch_s: float | None = None
    samples_per_s: float | None = None
    data_wait_s: float | None = None
    nonfinite: dict[str, NonFinite] | None = None


class ErrorView(View):
    """Why a job failed and what to change; `param` is a JSON Pointer into the spec."""

    code: str
    message: str
    hint: str | None = None
    param: str | None = None


class ParentView(View):
    """The job, and its epoch, that this one was made from."""

    id: str
    epoch: int | None = None


class WorkerRef(View):
    """The worker that runs or ran the job, and the device it trained on."""

    name: str
    device: str | None = None


class TransitionView(View):
    """One change of status: when, why and by whom (`user`, `worker`, `service`)."""

    status: Status
    at: datetime
    reason: Reason | None = None
    by: str


class LinksView(View):
    """Where the rest of a job is."""

    self: str
    events: str
    metrics: str
    logs: str
    artifacts: str
    cancel: str


class JobView(View):
    """A job: what was asked, with every default filled in, and how it stands."""

    id: str
    name: str
    status: Status
    status_reason: Reason | None = None
    spec: dict[str, Any]
    seed: int
    attempt: int = Field(ge=0)
    progress: ProgressView | None = None
    queue: QueueView
    latest: EpochView | None = None
    best: EpochView | None = None
    error: ErrorView | None = None
    labels: dict[str, str]
    parent: ParentView | None = None
    worker: WorkerRef | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    transitions: list[TransitionView]
    links: LinksView


class EventView(View):
    """One entry of a job's log; `seq` is gapless from 1."""

    seq: int = Field(ge=1)
    type: EventType
    at: datetime
    data: dict[str, Any]


class ArtifactView(View):
    """A file that a job made: its size in bytes, its SHA-256 in hex, and where to get it."""

    name: str
    media_type: str
    bytes: int = Field(ge=0)
    sha256: str
    created_at: datetime | None = None
    url: str


class WorkerView(View):
    """A worker that is alive: what it offers and which jobs it runs."""

    id: str
    name: str
    devices: list[str]
    slots: int
    queues: list[str]
    jobs: list[str]
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None


class PartView(View):
    """A part of the catalogue: its name in a spec, its line, the JSON Schema of its settings, its facts."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    name: str
    summary: str
    settings: dict[str, Any] = Field(alias="schema")


class CatalogView(View):
    """Every part that a spec can name."""

    datasets: list[PartView]
    models: list[PartView]
    losses: list[PartView]
    optimizers: list[PartView]
    schedulers: list[PartView]
    metrics: list[PartView]


class Page(View, Generic[T]):
    """A part of a list; hand `next` back as `after` to read on."""

    data: list[T]
    has_more: bool
    next: str | None = None


class JobPage(Page[JobView]):
    """Jobs, newest first unless asked otherwise."""


class EpochPage(Page[EpochView]):
    """Epochs in order; `status` is the job's, read before the rows: once it has ended, all rows are there."""

    status: Status


class EventPage(Page[EventView]):
    """Events in order; `status` is the job's, read before the rows: once it has ended, all rows are there."""

    status: Status


class ArtifactPage(Page[ArtifactView]):
    """The files of a job."""


class WorkerPage(Page[WorkerView]):
    """The workers that are alive."""


class ProblemItem(View):
    """One thing wrong: the JSON Pointer to it, what is wrong, and what is allowed."""

    pointer: str
    message: str
    allowed: Any = None


class ProblemView(View):
    """An error as RFC 9457 problem details; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemItem] = Field(default_factory=list)
