"""What a job would be, told before it runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.views.page import View


class SamplesView(View):
    """How many samples train, validate and test; of folds, in the first."""

    train: int = Field(ge=0)
    validation: int = Field(ge=0)
    test: int = Field(ge=0)


class PlannedMemoryView(View):
    """Bytes that the run will take: of the tensors that it keeps, of a batch's activations, of its data.

    `baseline_bytes` is what the process holds before it has read anything (0 on a GPU). `peak_bytes` is the most at any
    time: no sum, since reading, training and judging follow one another. By a probe, what was measured is told instead.
    """

    source: Literal["arithmetic", "probe"]
    weights_bytes: int = Field(ge=0)
    gradients_bytes: int = Field(ge=0)
    optimizer_bytes: int = Field(ge=0)
    activations_bytes: int | None = Field(default=None, ge=0)
    data_bytes: int | None = Field(default=None, ge=0)
    baseline_bytes: int = Field(ge=0)
    peak_bytes: int = Field(ge=0)


class PlannedSecondsView(View):
    """How long an epoch's training pass takes, and the whole run; by a probe, or by so many epochs of earlier jobs."""

    source: Literal["earlier_jobs", "probe"]
    epoch_s: float = Field(ge=0)
    total_s: float = Field(ge=0)
    jobs: int = Field(default=0, ge=0)
    epochs: int = Field(default=0, ge=0)


class RunsOnView(View):
    """The device that the job would get, the queue that it waits in, and the live workers that could run it."""

    device: str
    queue: str | None = None
    workers: list[str]


class PlanView(View):
    """What a job of this spec would be: the spec with every default filled in, its sizes, and what it costs.

    `steps` are optimizer steps of all epochs and folds together. What is not known is null, and `notes` say why.
    """

    spec: dict[str, Any]
    parameters: int | None = Field(default=None, ge=0)
    trainable_parameters: int | None = Field(default=None, ge=0)
    samples: SamplesView
    steps_per_epoch: int = Field(ge=0)
    epochs: int = Field(ge=0)
    steps: int = Field(ge=0)
    memory: PlannedMemoryView | None = None
    seconds: PlannedSecondsView | None = None
    runs_on: RunsOnView | None = None
    notes: list[str]
