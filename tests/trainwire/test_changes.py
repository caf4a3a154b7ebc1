"""Watching many jobs from Python: resumed by its cursor, until the named ones have ended."""

from __future__ import annotations

import json

import pytest

from core.errors import NotFound
from core.job import EventType, Status
from core.views import ChangeType
from tests.trainwire.fakes import Answer, Scripted, job_body
from tests.trainwire.specs import QUICK
from trainwire.client import Client

RESET = b'id: a.1\nevent: reset\ndata: {"type":"reset","data":{}}\n\n'
JOB = b'id: a.2\nevent: job\ndata: {"type":"job","job":"job_1","data":' + job_body() + b"}\n\n"
PROGRESS = b'event: progress\ndata: {"type":"progress","job":"job_1","data":{"epoch":1}}\n\n'
DELETED = b'id: a.3\nevent: deleted\ndata: {"type":"deleted","job":"job_1","data":{}}\n\n'


def test_all_jobs_are_followed_through_cuts_by_the_last_cursor(scripted: Scripted) -> None:
    scripted.script = [Answer(body=b"retry: 2000\n\n" + RESET + JOB + PROGRESS, cut=True), Answer(body=DELETED)]
    changes = Client(scripted.url, api_key="k").watch_all()
    found = [next(changes) for _ in range(4)]
    assert [change.type for change in found] == list(map(ChangeType, ("reset", "job", "progress", "deleted")))
    assert [change.cursor for change in found] == ["a.1", "a.2", "a.2", "a.3"]
    assert [change.job_id for change in found] == [None, "job_1", "job_1", "job_1"]
    assert found[1].job is not None
    assert found[1].job.status is Status.QUEUED
    assert found[3].job is None
    assert [(path, headers.get("last-event-id")) for path, headers in scripted.asked] == [
        ("/v1/events", None),
        ("/v1/events", "a.2"),
    ]
    assert scripted.asked[0][1]["authorization"] == "Bearer k"


def test_named_jobs_are_followed_until_the_service_says_that_all_have_ended(scripted: Scripted) -> None:
    end = {"job": "job_1", "seq": 7, "type": "end", "at": "2026-11-23T04:05:06.789012Z", "data": {}}
    told = f"id: b.7\nevent: end\ndata: {json.dumps(end)}\n\n".encode()
    scripted.script = [Answer(body=told), Answer(status=204)]
    (change,) = Client(scripted.url).watch_all(["job_1", "job_2"], cursor="b.6")
    assert (change.type, change.seq, change.job_id) == (EventType.END, 7, "job_1")
    assert change.at is not None
    assert [(path, headers["last-event-id"]) for path, headers in scripted.asked] == [
        ("/v1/events?jobs=job_1,job_2", "b.6"),
        ("/v1/events?jobs=job_1,job_2", "b.7"),
    ]


def test_nothing_is_asked_of_no_jobs(scripted: Scripted) -> None:
    assert list(Client(scripted.url).watch_all([])) == []
    assert scripted.asked == []


def test_the_epochs_of_several_jobs_come_once_each(client: Client) -> None:
    jobs = [client.submit(QUICK) for _ in range(3)]
    changes = client.watch_all(job.id for job in jobs)
    assert next(changes).type is ChangeType.RESET
    seen = {(job.id, row["epoch"]) for job in jobs for row in client.metrics(job.id)}
    told = [(change.job_id, change.data["epoch"]) for change in changes if change.type is EventType.EPOCH]
    assert len(told) == len(set(told))
    assert seen | set(told) == {(job.id, number) for job in jobs for number in (1, 2, 3)}
    assert [client.job(job.id).status for job in jobs] == [Status.SUCCEEDED] * 3


def test_an_unknown_job_is_said_at_once(client: Client) -> None:
    with pytest.raises(NotFound):
        next(client.watch_all(f"job_{'0' * 32}"))
