"""Jobs of several devices: their processes are the child's own, and end with it, as it ends with them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core.job import Job, Reason, Status, Worker
from core.spec import parse_spec
from tests.worker.place import KeptLauncher, Place, gone, happens, parent_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

TWO: dict[str, Any] = {"resources": {"devices": 2}}
JOB: dict[str, Any] = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [16]},
    "epochs": 3,
    "checkpoints": {"every_s": 0, "keep_last": 1},
}


def processes(launcher: KeptLauncher) -> list[int]:
    """The processes that children at work have started, in the order of their start."""
    parents = {child.pid for child in launcher._launched}
    there = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return sorted(pid for pid in there if _parent(pid) in parents)


def _parent(pid: int) -> int | None:
    try:
        return parent_of(pid)
    except OSError:
        return None


def figures(place: Place, job: Job) -> list[dict[str, float]]:
    return [row.figures() for row in place.store.epochs(job.id)]


def test_a_job_whose_process_is_killed_goes_on_exactly_in_new_ones(place: Place, launcher: KeptLauncher) -> None:
    place.node()
    whole = place.ended(place.submit(**JOB, **TWO))
    assert whole.status is Status.SUCCEEDED
    job = place.submit(**{**JOB, "epochs": 40}, **TWO)
    place.when(job, lambda _: len(place.store.epochs(job.id)) > 0)
    leader, other = processes(launcher)
    os.kill(other, signal.SIGKILL)
    assert happens(lambda: place.store.job(job.id).attempt == 2)
    assert gone([leader, other])
    reason = place.store.job(job.id).error
    assert reason is None or reason.code == Reason.KILLED_BY_SIGNAL
    place.when(job, lambda _: len(place.store.epochs(job.id)) >= 5)
    place.store.cancel(job.id)
    assert place.ended(job).status is Status.CANCELLED
    assert figures(place, job)[:3] == figures(place, whole)
    assert not [line for line in place.printed(job) if "W1" in line], "torch's agent keeps its habits to itself"


def test_the_memory_is_for_all_processes_and_one_that_has_none_left_says_so(place: Place) -> None:
    place.node()
    wide = {"name": "mlp", "hidden": [6000, 6000]}
    job = place.submit(**{**JOB, "model": wide, "resources": {"devices": 2, "memory_gb": 1.0}})
    ended = place.ended(job)
    assert ended.status_reason is Reason.OUT_OF_MEMORY
    assert ended.error is not None
    assert ended.error.param == "/batch_size"


@pytest.mark.full
def test_a_job_of_two_devices_waits_for_two_slots_and_no_lesser_one_overtakes_it(place: Place) -> None:
    place.node()
    first = place.submit("hangs")
    place.pids(first)
    large = place.submit(**{**JOB, "epochs": 1}, **TWO)
    small = place.submit(epochs=1)
    place.work_bell.ring()
    assert not happens(lambda: place.store.job(small.id).attempt == 1, within_s=1.0)
    place.store.cancel(first.id, force=True)
    large, small = place.ended(large), place.ended(small)
    assert large.started_at is not None
    assert small.started_at is not None
    assert large.started_at < small.started_at


def test_a_job_of_more_devices_than_anyone_has_waits_and_says_for_what(place: Place) -> None:
    node = place.node()
    job = place.store.add(parse_spec({**JOB, "resources": {"devices": 3}}))
    assert place.store.waiting_for(job) == "3 devices"
    assert place.store.claim(node.worker) is None
    large = Worker(id="worker_2", name="large", devices=("cuda:0", "cuda:1", "cpu"), slots=4, queues=("cpu",))
    assert place.store.claim(large) is None, "two GPUs"
    assert place.store.claim(Worker(id="worker_3", name="wide", devices=("cpu",), slots=3, queues=("cpu",)))
