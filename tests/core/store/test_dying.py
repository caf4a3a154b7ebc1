"""A process that dies around a commit leaves all of it or nothing, and whoever comes next goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.events import RunEvent
from core.failpoints import NAMES
from core.job import Job, Status
from core.store import JobQuery, Store, Submit
from tests.core.store.dying import ONCE, OTHER
from tests.core.store.making import FINISHED, a_claim, a_spec, an_epoch, told

POINTS = [name for name in NAMES if name.endswith("_commit")]
CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Left:
    """What is there right behind a death."""

    status: Status | None
    epochs: int = 0
    checkpoints: int = 0
    other: Status | None = None


LEFT = {
    "submit.before_commit": Left(None),
    "submit.after_commit": Left(Status.QUEUED),
    "claim.before_commit": Left(Status.QUEUED),
    "claim.after_commit": Left(Status.RUNNING),
    "record.before_commit": Left(Status.RUNNING),
    "record.after_commit": Left(Status.RUNNING, 1, 1),
    "release.before_commit": Left(Status.RUNNING, 1, 1),
    "release.after_commit": Left(Status.QUEUED, 1, 1),
    "finish.before_commit": Left(Status.RUNNING, 1, 1),
    "finish.after_commit": Left(Status.SUCCEEDED, 2, 1),
    "cancel.before_commit": Left(Status.SUCCEEDED, 2, 1, other=Status.QUEUED),
    "cancel.after_commit": Left(Status.SUCCEEDED, 2, 1, other=Status.CANCELLED),
}


@pytest.fixture(scope="module")
def mother() -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-m", "tests.core.store.dying"]
    with subprocess.Popen(
        line, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as mother:
        yield mother
        assert mother.stdin is not None
        mother.stdin.close()


def die(mother: subprocess.Popen[str], point: str, *, flag: Path, url: str) -> None:
    flag.touch()
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.stdin.write(f"{point}\t{flag}\t{url}\n")
    mother.stdin.flush()
    assert mother.stdout.readline().strip() == "-9"
    assert not flag.exists()


def test_every_point_of_the_store_is_died_at() -> None:
    assert set(LEFT) == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_a_death_around_a_commit_leaves_all_or_nothing(
    mother: subprocess.Popen[str], store: Store, url: str, tmp_path: Path, point: str
) -> None:
    die(mother, point, flag=tmp_path / "armed", url=url)
    found = {job.name == OTHER: job for job in store.jobs(JobQuery()).rows}
    assert left(store, found) == LEFT[point]
    job_id = found[False].id if False in found else None
    made = store.create(Submit(a_spec()), told=told, once=ONCE)
    assert (made.replayed, made.job_id) == ((True, job_id) if job_id is not None else (False, made.job_id))
    assert made.text == f"{made.job_id} queued 1 worker"
    go_on(store, made.job_id)


def left(store: Store, found: dict[bool, Job]) -> Left:
    other = found[True].status if True in found else None
    if False not in found:
        return Left(None, other=other)
    job = found[False]
    return Left(job.status, len(store.epochs(job.id)), len(store.checkpoints(job.id)), other)


def go_on(store: Store, job_id: str) -> None:
    """What the next start of the service does with it."""
    store.recover()
    if not store.job(job_id).status.ended:
        claim = a_claim(store)
        first = claim.checkpoints[0].epoch if claim.checkpoints else 0
        again: list[RunEvent] = [an_epoch(epoch) for epoch in range(first + 1, 3)]
        assert store.record(claim, [*again, FINISHED]) is Status.SUCCEEDED
    assert [row.epoch for row in store.epochs(job_id)] == [1, 2]
    job, events = store.job(job_id), store.events(job_id)
    assert [event.seq for event in events] == list(range(1, job.version + 1))
    assert [event.type.value for event in events].count("epoch") == 2
    assert [each.status for each in job.transitions].count(Status.SUCCEEDED) == 1
    assert len(store.artifacts(job_id)) == 1
