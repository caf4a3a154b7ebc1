"""What a job will be before it runs: its sizes, by arithmetic what it takes, who could run it, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.job import Worker
from core.pace import Pace
from core.spec import JobSpec
from core.spec.footprint import footprint
from core.spec.found import with_likely_batch


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job would run: on which device, and the live workers that could take it."""

    device: str
    workers: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`cpu`, `cuda` or `mps`."""
        return self.device.partition(":")[0]


def place(spec: JobSpec, workers: Sequence[Worker]) -> Place | None:
    """Where a job of `spec` would run with these live workers; None when none of them can."""
    wanted, queue = spec.resources.device, spec.resources.queue
    able = [
        (fitting[0], worker.name)
        for worker in workers
        if (queue is None or queue in worker.queues)
        and (fitting := [one for one in worker.devices if wanted in ("auto", one, one.partition(":")[0])])
    ]
    return Place(able[0][0], tuple(name for _, name in able)) if able else None


def plan(spec: JobSpec, place: Place | None, pace: Pace | None) -> dict[str, Any]:
    """What a job of `spec` would be, for JSON; `pace` is what earlier jobs took for such an epoch."""
    asked, spec = spec, with_likely_batch(spec)
    steps = sum(one.steps_per_epoch for one in spec.rounds) * spec.epochs
    sizes, epochs = spec.split_sizes, spec.epochs * len(spec.rounds)
    parameters = None if spec.cost is None else spec.cost.parameters
    return {
        "spec": asked.model_dump(mode="json"),
        "parameters": parameters,
        "trainable_parameters": parameters,
        "samples": sizes._asdict(),
        "steps_per_epoch": spec.steps_per_epoch,
        "epochs": epochs,
        "steps": steps,
        "memory": _memory(spec, place),
        "seconds": None if pace is None else _seconds(pace, epochs),
        "runs_on": place and {"device": place.device, "queue": spec.resources.queue, "workers": list(place.workers)},
        "notes": [*_notes(spec, place, pace), *_found_later(asked, spec)],
    }


def _found_later(asked: JobSpec, spec: JobSpec) -> Iterator[str]:
    """What the run finds itself, and with what it is planned."""
    if asked.batch_size != spec.batch_size:
        yield f"batch_size: the run finds it; this counts with {spec.batch_size}, the largest that it tries."


def _memory(spec: JobSpec, place: Place | None) -> dict[str, Any] | None:
    if spec.cost is None:
        return None
    on_gpu = place is not None and place.kind == "cuda"
    return {"source": "arithmetic", **asdict(footprint(spec, on_gpu=on_gpu))}


def _seconds(pace: Pace, epochs: int) -> dict[str, Any]:
    return {
        "source": "earlier_jobs",
        "epoch_s": pace.epoch_s,
        "total_s": pace.once_s + epochs * (pace.epoch_s + pace.rest_s),
        "jobs": pace.jobs,
        "epochs": pace.epochs,
    }


def _notes(spec: JobSpec, place: Place | None, pace: Pace | None) -> Iterator[str]:
    """Why something is not known, or may come otherwise."""
    if place is None:
        queue = "" if spec.resources.queue is None else f" in the queue {spec.resources.queue!r}"
        yield f"No live worker offers the device {spec.resources.device!r}{queue}: the job would wait for one."
    if spec.cost is None:
        yield f"parameters, memory: a model of {spec.model.name} must be built to be weighed; the run tells them."
    if pace is None:
        yield "seconds: no earlier job had epochs like these on such a device; ?probe=true times a few batches."
    if spec.early_stopping is not None:
        yield "epochs: early stopping may end the job before; this counts all of them."
    if spec.resources.device == "mps" or (place is not None and place.kind == "mps"):
        yield "memory: on Apple's GPUs the arithmetic is that of main memory."
