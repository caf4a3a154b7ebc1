"""The disk takes no more: neither what a trainer writes, nor what anyone does."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.chaos.family import family
from tests.chaos.services import EmbeddedDoor
from tests.chaos.siege import Siege
from tests.chaos.specs import Spec

MOST_BYTES = 400_000
BIG: Spec = {
    "name": "chaos-big",
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [512, 256], "dropout": 0.2},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.02,
    "epochs": 20,
    "seed": 2,
    "checkpoints": {"every_s": 0.1},
}
"""Its weights alone are 0.7 MB."""


@pytest.mark.parametrize("door", ["embedded"], indirect=True)
def test_a_full_disk_pauses_a_job_until_there_is_space(siege: Siege, embedded: EmbeddedDoor) -> None:
    for _ in range(siege.size(1, 3)):
        with _full(embedded):
            job_id = siege.submit(BIG)
            assert siege.wait_status(job_id, "paused") == "paused"
            job = embedded.job(job_id)
            assert job["status_reason"] == "storage_full"
            assert job["error"]["code"] == "storage_full"
            siege.harms += 1
        siege.wait_status(job_id, "succeeded")
    siege.verdict("disk full")


@contextmanager
def _full(door: EmbeddedDoor) -> Iterator[None]:
    """No file of a trainer may grow past MOST_BYTES: what the system says then, it also says of a full disk."""
    _limit(door, MOST_BYTES)
    try:
        yield
    finally:
        _limit(door, resource.RLIM_INFINITY)


def _limit(door: EmbeddedDoor, most: int) -> None:
    """For the forkserver and what it has forked; what it forks later inherits its limit."""
    for pid in [each.pid for each in family(door.api.mark) if each.forked]:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))
