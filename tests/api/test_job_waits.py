"""Looking at a job again: entity tags, 304, and long polls that answer at the next version."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.api.playing import Play, epoch, step
from tests.api.waiting import until_watched


def test_the_etag_moves_with_events_and_not_with_progress(client: TestClient, play: Play) -> None:
    job = play.running()
    path = f"/v1/jobs/{job.id}"
    etag = client.get(path).headers["ETag"]
    play.tell(job, step(3))

    same = client.get(path, headers={"If-None-Match": etag})
    assert same.status_code == 304
    assert same.headers["ETag"] == etag
    assert same.content == b""
    play.tell(job, epoch(1))
    assert client.get(path, headers={"If-None-Match": f'"other", {etag}'}).status_code == 200
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_waiting_with_an_etag_answers_at_the_next_version(client: TestClient, play: Play) -> None:
    job = play.running()
    path = f"/v1/jobs/{job.id}"
    etag = client.get(path).headers["ETag"]

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"{path}?wait=30", headers={"If-None-Match": etag})
        until_watched(client)
        play.tell(job, epoch(1))
        answer = waiting.result(timeout=60)
    assert answer.status_code == 200
    assert answer.json()["latest"]["epoch"] == 1


def test_waiting_without_an_etag_answers_at_the_next_change(client: TestClient, play: Play) -> None:
    job = play.running()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/v1/jobs/{job.id}?wait=30")
        until_watched(client)
        play.tell(job, epoch(1))
        assert waiting.result(timeout=60).json()["latest"]["epoch"] == 1


def test_waiting_in_vain_ends_with_304_or_with_what_there_is(client: TestClient, play: Play) -> None:
    job = play.running()
    path = f"/v1/jobs/{job.id}?wait=0.2"
    begun = time.monotonic()
    answer = client.get(path)

    assert answer.status_code == 200
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert 0.4 <= time.monotonic() - begun < 10


def test_an_outdated_etag_and_an_ended_job_do_not_wait(client: TestClient, play: Play) -> None:
    running, ended = play.running(), play.ended()
    begun = time.monotonic()

    assert client.get(f"/v1/jobs/{running.id}?wait=60", headers={"If-None-Match": 'W/"1"'}).status_code == 200
    assert client.get(f"/v1/jobs/{ended.id}?wait=60").status_code == 200
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("wait", ["61", "-1", "nan", "inf", "soon"])
def test_a_wait_beyond_a_minute_is_refused(client: TestClient, play: Play, wait: str) -> None:
    assert client.get(f"/v1/jobs/{play.queued().id}?wait={wait}").status_code == 422
