"""A job's log as JSON: the polling twin of its stream, and the lines its run printed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from core.views import EventPage
from tests.api.playing import Play, epoch, finished, lines, step
from tests.api.waiting import until_watched


def test_without_an_accept_header_the_log_is_json(client: TestClient, play: Play) -> None:
    job = play.ended(epochs=2)
    client.headers.pop("accept")
    page = EventPage.model_validate_json(client.get(f"/v1/jobs/{job.id}/events").content)

    assert [event.seq for event in page.data] == list(range(1, job.version + 1))
    assert [event.type.value for event in page.data][-3:] == ["epoch", "epoch", "end"]
    assert page.data[-1].data["reason"] == "completed"
    assert page.status == "succeeded"


def test_the_log_is_read_on_behind_a_seq(client: TestClient, play: Play) -> None:
    job = play.ended(epochs=2)
    path = f"/v1/jobs/{job.id}/events"

    first = client.get(f"{path}?limit=2")
    assert ([one["seq"] for one in first.json()["data"]], first.json()["next"]) == ([1, 2], "2")
    assert [one["seq"] for one in client.get(first.links["next"]["url"]).json()["data"]] == [3, 4]
    assert client.get(f"{path}?after={job.version}").json()["data"] == []


def test_progress_is_never_in_the_log(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, step(1))
    play.tell(job, step(2))

    types = {event["type"] for event in client.get(f"/v1/jobs/{job.id}/events").json()["data"]}
    assert types == {"status", "started"}


@pytest.mark.parametrize("room", ["events", "logs"])
def test_a_poll_that_waits_gets_what_comes(client: TestClient, play: Play, room: str) -> None:
    job = play.running()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/v1/jobs/{job.id}/{room}?after={job.version}&wait=30")
        until_watched(client)
        play.tell(job, lines("hello"))
        page = waiting.result(timeout=60).json()
    assert [event["data"]["line"] for event in page["data"]] == ["hello"]


def test_printed_lines_are_read_apart(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, lines("one", "two"), epoch(1), lines('<script>alert("3")</script>\u2028'))
    page = client.get(f"/v1/jobs/{job.id}/logs").json()

    assert [event["data"]["line"] for event in page["data"]] == ["one", "two", '<script>alert("3")</script>\u2028']
    assert {event["type"] for event in page["data"]} == {"log"}
    more = client.get(f"/v1/jobs/{job.id}/logs?limit=2").json()
    assert (more["has_more"], more["next"]) == (True, str(page["data"][1]["seq"]))


def test_a_log_poll_ends_with_the_job(client: TestClient, play: Play) -> None:
    job = play.running()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/v1/jobs/{job.id}/logs?wait=30")
        until_watched(client)
        play.tell(job, finished())
        page = waiting.result(timeout=60).json()
    assert (page["data"], page["status"]) == ([], "succeeded")
