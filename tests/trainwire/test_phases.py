"""Phases over HTTP: their notices, and forks that change what is not over."""

from __future__ import annotations

import pytest

from core.errors import SpecRefused
from core.job import EventType, Status
from trainwire.client import Client

ADAM = {"optimizer": "adam", "lr": 0.01, "epochs": 2}
SGD = {"optimizer": "sgd", "lr": 0.1, "epochs": 2, "scheduler": "cosine"}
JOB = {"dataset": "iris", "model": "linear", "phases": [ADAM, SGD], "checkpoints": {"every_s": 0}}


def test_phases_are_told_and_forked_where_they_are_not_over(client: Client) -> None:
    job = client.submit(JOB)
    events = list(client.watch(job.id))
    ended = client.wait(job.id)
    assert ended.status is Status.SUCCEEDED, ended.error
    told = [event.data for event in events if event.type is EventType.NOTICE]
    assert [(one["code"], one["phase"], one["epoch"]) for one in told] == [
        ("phase_begins", 1, 0),
        ("phase_begins", 2, 2),
    ]
    assert [row["lr"] for row in client.metrics(job.id)] == pytest.approx([0.01, 0.01, 0.1, 0.05])
    assert ended.spec["epochs"] == 4

    with pytest.raises(SpecRefused, match="are trained already"):
        client.fork(job.id, epoch=2, patch={"phases": [SGD, ADAM]})
    slow = {**SGD, "lr": 0.02, "epochs": 4}
    fork = client.wait(client.fork(job.id, epoch=2, patch={"phases": [ADAM, slow]}).id)
    assert fork.status is Status.SUCCEEDED, fork.error
    rows = client.metrics(fork.id)
    assert [row["epoch"] for row in rows] == [3, 4, 5, 6]
    assert rows[0]["lr"] == 0.02
    assert rows[2]["lr"] == pytest.approx(0.01)
