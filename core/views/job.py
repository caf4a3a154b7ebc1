"""A job as the API shows it: how it stands, its epochs and its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from core.job import EventType, Reason, Status
from core.views.page import Page, View

NonFinite = Literal["nan", "inf", "-inf"]


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
    """One epoch's figures, with `val_<metric>` beside the named ones; `fold` or `seed` where there are several.

    A number that JSON cannot hold is null and named under `nonfinite`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    epoch: int = Field(ge=1)
    fold: int | None = None
    seed: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    lr: float | None = None
    epoch_s: float | None = None
    samples_per_s: float | None = None
    data_wait_s: float | None = None
    nonfinite: dict[str, NonFinite] | None = None


class HeldOutView(View):
    """The figures of the test part, with the metrics beside the loss: of the weights that are kept, told at the end.

    A number that JSON cannot hold is null and named under `nonfinite`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    loss: float | None = None
    nonfinite: dict[str, NonFinite] | None = None


class FoldsView(View):
    """The figures of a cross-validation: each fold's, of the epoch whose weights it keeps; their means; their spread.

    `std` is the sample's standard deviation (divisor: folds - 1). A number that JSON cannot hold is null and named
    under `nonfinite`.
    """

    figures: list[dict[str, Any]]
    mean: dict[str, Any]
    std: dict[str, Any]


class MemoryView(View):
    """What the run takes, measured in bytes, behind its first steps and at its end.

    The tensors that it keeps from step to step; and `peak_bytes`, the most that it held at any time: on a GPU what
    torch allocated there, else the resident memory of the training process, without those that load batches.
    `baseline_bytes` of it were held before the run had read anything.
    """

    weights_bytes: int = Field(ge=0)
    gradients_bytes: int = Field(ge=0)
    optimizer_bytes: int = Field(ge=0)
    peak_bytes: int = Field(ge=0)
    baseline_bytes: int = Field(ge=0)


class SeedsView(View):
    """The figures of several seeds: each one's, of the epoch whose weights it keeps; their means; their spread.

    `std` is the sample's standard deviation (divisor: seeds - 1); the mean, less and more its `margin`, bounds the 95 %
    confidence interval of the mean (Student's t). A number that JSON cannot hold is null and named under `nonfinite`.
    """

    figures: list[dict[str, Any]]
    mean: dict[str, Any]
    std: dict[str, Any]
    margin: dict[str, Any]


class SharpnessView(View):
    """How sharp the minimum is: the `mean` and `max` rise of the `cost` in random directions, over `samples`.

    A number that JSON cannot hold is null and named under `nonfinite`.
    """

    cost: float | None = None
    mean: float | None = None
    max: float | None = None
    samples: int = Field(ge=1)
    nonfinite: dict[str, NonFinite] | None = None


class ErrorView(View):
    """Why a job failed, or waits for its next attempt, and what to change; `param` is a JSON Pointer into the spec."""

    code: str
    message: str
    hint: str | None = None
    param: str | None = None


class ParentView(View):
    """The job that this one was made from; this one's own epochs begin behind `epoch`."""

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
    """Where the rest of a job is, and where its verbs are posted."""

    self: str
    events: str
    metrics: str
    logs: str
    checkpoints: str = ""
    artifacts: str
    report: str = ""
    cancel: str
    pause: str = ""
    resume: str = ""
    retry: str = ""
    fork: str = ""
    predict: str = ""


class JobView(View):
    """A job: what was asked, with every default filled in, and how it stands.

    `bit_exact` says whether its figures are those of an uninterrupted run to the last bit; if not,
    `bit_exact_reason` says why.
    """

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
    test: HeldOutView | None = None
    folds: FoldsView | None = None
    memory: MemoryView | None = None
    resolved: dict[str, int | float] | None = Field(
        default=None, description='The numbers that the run found where the spec says "auto"; null without one, or yet.'
    )
    seeds: SeedsView | None = None
    sharpness: SharpnessView | None = None
    error: ErrorView | None = None
    labels: dict[str, str]
    parent: ParentView | None = None
    worker: WorkerRef | None = None
    bit_exact: bool = True
    bit_exact_reason: str | None = None
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


class JobPage(Page[JobView]):
    """Jobs, newest first unless asked otherwise."""


class EpochPage(Page[EpochView]):
    """Epochs in order; `status` is the job's, read before the rows: once it has ended, all rows are there."""

    status: Status


class EventPage(Page[EventView]):
    """Events in order; `status` is the job's, read before the rows: once it has ended, all rows are there."""

    status: Status
