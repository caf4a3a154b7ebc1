"""A job's verbs through the client, against a real service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import Gone, SpecRefused, WrongStatus
from core.job import EventType, Reason, Status
from core.views import JobView
from tests.trainwire.specs import LASTING, LONG, QUICK
from trainwire.client import Client
from trainwire.watching import Event

KEPT = {**LASTING, "name": "kept", "checkpoints": {"every_s": None, "every_epochs": 2, "keep_last": 99}}
FIGURES = {"epoch", "train_loss", "val_loss", "val_accuracy", "lr"}


def figures(client: Client, job: JobView, *, after: int = 0) -> list[dict[str, Any]]:
    return [{name: row[name] for name in FIGURES} for row in client.metrics(job.id, after=after)]


@pytest.fixture(scope="module")
def parent(service: Any) -> Iterator[JobView]:
    """A job that has ended and left its checkpoints."""
    with Client(service.url) as client:
        yield client.wait(client.submit(KEPT).id)


def test_a_job_is_paused_and_goes_on_with_the_same_figures(client: Client, parent: JobView) -> None:
    job = client.submit({**KEPT, "name": "interrupted"})
    events: Iterator[Event] = client.watch(job.id)
    next(event for event in events if event.type is EventType.EPOCH)
    assert client.pause(job.id).status in {Status.PAUSING, Status.PAUSED}
    next(event for event in events if event.data.get("status") == Status.PAUSED)
    assert client.pause(job.id).status is Status.PAUSED
    assert client.resume(job.id).status is Status.QUEUED
    started = next(event for event in events if event.type is EventType.STARTED)
    assert started.data["resumed"]["bit_exact"]
    ended = client.wait(job.id)
    assert (ended.status, ended.bit_exact, ended.attempt) == (Status.SUCCEEDED, True, 2)
    assert figures(client, job) == figures(client, parent)


def test_a_fork_without_a_patch_gives_the_remaining_rows_again(client: Client, parent: JobView) -> None:
    fork = client.wait(client.fork(parent.id, epoch=5).id)
    assert fork.parent is not None
    assert (fork.parent.id, fork.parent.epoch) == (parent.id, 5)
    assert figures(client, fork) == figures(client, parent, after=5)


def test_a_fork_with_a_patch_goes_its_own_way(client: Client, parent: JobView) -> None:
    fork = client.fork(parent.id, epoch=6, patch={"optimizer": "sgd", "epochs": 8})
    assert (fork.spec["optimizer"]["name"], fork.spec["lr"]) == ("sgd", 0.001)
    assert client.wait(fork.id).status is Status.SUCCEEDED
    rows = figures(client, fork)
    assert [row["epoch"] for row in rows] == [7, 8]
    assert rows != figures(client, parent)[6:8]


def test_a_patch_of_the_data_is_refused_with_its_place(client: Client, parent: JobView) -> None:
    with pytest.raises(SpecRefused) as refused:
        client.fork(parent.id, epoch=2, patch={"dataset": "iris", "epoch": 3})
    assert {problem.pointer for problem in refused.value.problems} == {"/patch/dataset", "/patch/epoch"}


def test_a_cancelled_job_is_tried_again_and_one_that_succeeded_is_not(client: Client, parent: JobView) -> None:
    job = client.submit(LONG)
    next(event for event in client.watch(job.id) if event.type is EventType.EPOCH)
    client.cancel(job.id)
    assert client.wait(job.id).status_reason is Reason.CANCELLED_BY_USER
    for from_start in (True, False):
        again = client.retry(job.id, from_start=from_start)
        assert again.parent is not None
        assert (again.parent.id, (again.parent.epoch or 0) > 0) == (job.id, not from_start)
        client.cancel(again.id, force=True)
        assert client.wait(again.id).status is Status.CANCELLED
    with pytest.raises(WrongStatus, match="succeeded"):
        client.retry(parent.id)


def test_checkpoints_are_told_newest_first(client: Client, parent: JobView) -> None:
    found = client.checkpoints(parent.id)
    assert [one.epoch for one in found] == sorted((one.epoch for one in found), reverse=True)
    assert {2, 4, 6} <= {one.epoch for one in found}
    assert all(one.bytes == sum(file.bytes for file in one.files) > 0 for one in found)


def test_one_key_makes_one_job(client: Client) -> None:
    first, second = (client.submit(QUICK, idempotency_key="twice") for _ in range(2))
    assert first == second
    client.wait(first.id)


def test_a_deleted_job_is_gone(client: Client) -> None:
    job = client.submit(LONG)
    with pytest.raises(WrongStatus):
        client.delete(job.id)
    client.cancel(job.id, force=True)
    client.wait(job.id)
    client.delete(job.id)
    client.delete(job.id)
    for ask in (client.job, client.metrics, client.checkpoints, lambda job_id: list(client.watch(job_id))):
        with pytest.raises(Gone):
            ask(job.id)
