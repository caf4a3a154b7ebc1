"""What a job will be before it runs: its sizes, by arithmetic what it takes, who could run it, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.job import Worker
from core.pace import Pace
from core.room import Room
from core.spec import JobSpec
from core.spec.auto import AUTO
from core.spec.cost import FLOAT
from core.spec.footprint import WARM_BYTES, footprint
from core.spec.found import with_likely_batch
from core.spec.phases import usual_rate

TOLD_S = 1.5e-4
"""An epoch's way from the process that trains to the database, as far as training waits for it: on two cores, over
4,000 epochs of one step each."""
ENDED_S = 0.08
"""What a job takes beside its training: a process takes it up; weights, report and card come to the disk."""


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
    wanted, queue, nodes = spec.resources.device, spec.resources.queue, spec.resources.nodes
    able = [
        (fitting[0], worker.name)
        for worker in workers
        if (queue is None or queue in worker.queues)
        and nodes in (1, worker.nodes)
        and Room.of(worker).holds(spec.resources.devices, kind=wanted)
        and (fitting := [one for one in worker.devices if wanted in ("auto", one, one.partition(":")[0])])
    ]
    return Place(able[0][0], tuple(name for _, name in able)) if able else None


def reckoned(spec: JobSpec) -> JobSpec:
    """The spec with numbers where its run finds them first: the largest batch that it tries, the usual rate."""
    spec = with_likely_batch(spec)
    asked = spec.model_dump(include={"lr"})["lr"]
    return spec.model_copy(update={"lr": usual_rate(spec.optimizer)}) if asked == AUTO else spec


def plan(
    spec: JobSpec,
    place: Place | None,
    pace: Pace | None,
    tried: Mapping[str, Any] | None = None,
    *,
    baseline_bytes: int | None = None,
) -> dict[str, Any]:
    """What a job of `spec` would be, for JSON.

    `pace` is what earlier jobs took for such an epoch, and `baseline_bytes` what a training process held before it had
    read anything; `tried` what came of a trial: a `trial`, or an `error`.
    """
    trial, asked = (tried or {}).get("trial"), spec
    spec = reckoned(spec)
    return {
        "spec": asked.model_dump(mode="json"),
        "parameters": _parameters(spec, trial),
        "trainable_parameters": _trainable(spec, trial),
        "samples": spec.split_sizes._asdict(),
        "steps_per_epoch": spec.steps_per_epoch,
        "epochs": spec.epochs * len(spec.rounds),
        "steps": sum(one.steps_per_epoch for one in spec.rounds) * spec.epochs,
        "memory": _memory(spec, place, trial, baseline_bytes or WARM_BYTES),
        "seconds": _tried_seconds(spec, trial) if trial else pace and _seconds(spec, pace),
        "runs_on": place and {"device": place.device, "queue": spec.resources.queue, "workers": list(place.workers)},
        "notes": [*_notes(spec, place, tried or {}, is_known=bool(pace or trial)), *_found_later(asked, spec)],
    }


def _found_later(asked: JobSpec, spec: JobSpec) -> Iterator[str]:
    """What the run finds itself, and with what it is planned."""
    if asked.batch_size != spec.batch_size:
        yield f"batch_size: the run finds it; this counts with {spec.batch_size}, the largest that it tries."


def _parameters(spec: JobSpec, trial: Mapping[str, Any] | None) -> int | None:
    if spec.cost is not None:
        return spec.cost.parameters
    return None if trial is None else int(trial["memory"]["weights_bytes"]) // (FLOAT * (1 + (spec.ema is not None)))


def _trainable(spec: JobSpec, trial: Mapping[str, Any] | None) -> int | None:
    """What freeze leaves, only the built model knows: a trial tells it by the gradients that it had."""
    if not spec.freeze:
        return _parameters(spec, trial)
    return None if trial is None else int(trial["memory"]["gradients_bytes"]) // FLOAT


def _memory(
    spec: JobSpec, place: Place | None, trial: Mapping[str, Any] | None, baseline: int
) -> dict[str, Any] | None:
    """By arithmetic; of a trial all that was measured, which says of a model's activations nothing by themselves."""
    on_gpu = place is not None and place.kind == "cuda"
    found = None if spec.cost is None else asdict(footprint(spec, on_gpu=on_gpu, warm_bytes=baseline))
    if trial is None:
        return found and {"source": "arithmetic", **found}
    unknown = {"activations_bytes": None, "data_bytes": None}
    return {"source": "probe", **unknown, **(found or {}), **trial["memory"]}


def _seconds(spec: JobSpec, pace: Pace) -> dict[str, Any]:
    return {
        "source": "earlier_jobs",
        "epoch_s": pace.epoch_s,
        "total_s": pace.once_s + spec.epochs * len(spec.rounds) * (pace.epoch_s + pace.rest_s),
        "jobs": pace.jobs,
        "epochs": pace.epochs,
    }


def _tried_seconds(spec: JobSpec, trial: Mapping[str, Any]) -> dict[str, Any]:
    """Every round starts anew; each epoch is trained, judged and told, and in the end the test part is judged once."""
    total_s = spec.test_samples * trial["sample_s"] + ENDED_S
    for one in spec.rounds:
        epoch_s = one.steps_per_epoch * trial["step_s"] + one.val_samples * trial["sample_s"] + trial["rest_s"]
        total_s += trial["startup_s"] + spec.epochs * (epoch_s + TOLD_S)
    return {
        "source": "probe",
        "epoch_s": spec.steps_per_epoch * trial["step_s"],
        "total_s": total_s,
        "jobs": 0,
        "epochs": 0,
    }


def _notes(spec: JobSpec, place: Place | None, tried: Mapping[str, Any], *, is_known: bool) -> Iterator[str]:
    """Why something is not known, or may come otherwise."""
    if place is None:
        queue = "" if spec.resources.queue is None else f" in the queue {spec.resources.queue!r}"
        yield f"No live worker offers {_devices(spec)}{queue}: the job would wait for one."
    if spec.cost is None and not tried.get("trial"):
        yield f"parameters, memory: a model of {spec.model.name} must be built to be weighed; the run tells them."
    if spec.freeze and not tried.get("trial"):
        yield "trainable_parameters: what freeze names is known of the built model; the run tells them."
    if error := tried.get("error"):
        yield " ".join(filter(None, [f"probe: {error['code']}: {error['message']}", error["hint"]]))
    if not is_known:
        more = "" if tried else "; ?probe=true times a few batches"
        yield f"seconds: no earlier job had epochs like these on such a device{more}."
    yield from _limits(spec, place, is_tried=bool(tried))


def _limits(spec: JobSpec, place: Place | None, *, is_tried: bool) -> Iterator[str]:
    """What the figures do not cover."""
    if spec.resources.processes > 1:
        yield "memory: that of each process; a trial would be of one device, so there is none for several."
    if spec.phases is not None and is_tried:
        yield "seconds, memory: the trial is of the first phase; other optimizers may take more."
    if spec.early_stopping is not None:
        yield "epochs: early stopping may end the job before; this counts all of them."
    if place is not None and place.kind == "mps":
        yield "memory: on Apple's GPUs the arithmetic is that of main memory."


def _devices(spec: JobSpec) -> str:
    wanted = spec.resources
    nodes = "" if wanted.nodes == 1 else f" with members for {wanted.nodes} nodes"
    return (
        f"the device {wanted.device!r}"
        if wanted.devices == 1
        else f"{wanted.devices} devices of the kind {wanted.device!r}"
    ) + nodes
