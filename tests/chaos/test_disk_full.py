"""The disk takes no more: neither what a trainer writes, nor what anyone does."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.chaos.doors import EmbeddedDoor
from tests.chaos.family import family
from tests.chaos.harm import at_a_random_moment
from tests.chaos.siege import Siege
from tests.chaos.specs import STEADY, Spec

MOST_BYTES = 400_000
BIG: Spec = {
    "name": "chaos-big",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [512, 256], "dropout": 0.2},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.02,
    "epochs": 8,
    "seed": 2,
    "checkpoints": {"every_s": 0.1},
}
"""Its weights alone are 0.7 MB."""


@pytest.mark.parametrize("door", ["embedded"], indirect=True)
def test_a_full_disk_pauses_a_job_until_there_is_space(siege: Siege, embedded: EmbeddedDoor) -> None:
    for _ in range(siege.size(1, 3)):
        with _full(lambda: _trainers(embedded), MOST_BYTES):
            job_id = siege.submit(BIG)
            assert siege.wait_status(job_id, "paused") == "paused"
            job = embedded.job(job_id)
            assert job["status_reason"] == "storage_full"
            assert job["error"]["code"] == "storage_full"
            siege.harms += 1
        siege.wait_status(job_id, "succeeded")
    siege.verdict("disk full")


@pytest.mark.parametrize("door", ["embedded"], indirect=True)
def test_a_database_that_cannot_grow_is_said_and_survives(siege: Siege, embedded: EmbeddedDoor) -> None:
    for _ in range(siege.size(1, 3)):
        job_id = siege.submit(STEADY)
        siege.wait_epochs(job_id)
        with _full(lambda: [embedded.api.process.pid], most=1):
            at_a_random_moment(siege.rng, (0.5, 1.5))
            answer = embedded.http.post("/v1/jobs", json=STEADY)
            assert (answer.status_code, answer.json()["code"]) == (httpx.codes.SERVICE_UNAVAILABLE, "unavailable")
            assert "Retry-After" in answer.headers
        siege.harms += 1
    siege.verdict("disk full under the database", attempts=1)


def _trainers(door: EmbeddedDoor) -> list[int]:
    """The forkserver and what it has forked; what it forks later inherits its limit."""
    return [each.pid for each in family(door.api.mark) if each.forked]


@contextmanager
def _full(whose: Callable[[], list[int]], most: int) -> Iterator[None]:
    """No file of theirs may grow past `most` bytes: what the system says then, it also says of a full disk."""
    _limit(whose(), most)
    try:
        yield
    finally:
        _limit(whose(), resource.RLIM_INFINITY)


def _limit(pids: list[int], most: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
