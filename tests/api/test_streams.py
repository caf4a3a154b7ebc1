"""A job's log as a stream, over a real socket: live, resumed, shared by many, and cut."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.server import Server
from core.job import Job
from tests.api.playing import Play, epoch, finished, ids, lines, sse, step
from tests.api.waiting import until

STREAM = {"Accept": "text/event-stream"}
WATCHERS = 200


def _until_watchers(server: Server, count: int) -> None:
    until(lambda: server.hub.watchers >= count)


@contextmanager
def _watching(http: httpx.Client, job: Job, **headers: str) -> Iterator[Iterator[str]]:
    with http.stream("GET", f"/v1/jobs/{job.id}/events", headers={**STREAM, **headers}) as answer:
        assert answer.status_code == 200
        yield answer.iter_text()


def _whole(http: httpx.Client, job: Job, room: str = "events", **headers: str) -> str:
    return http.get(f"/v1/jobs/{job.id}/{room}", headers={**STREAM, **headers}).text


def test_an_ended_job_is_told_from_its_first_event_to_its_end(http: httpx.Client, play: Play) -> None:
    job = play.ended(epochs=3)
    answer = http.get(f"/v1/jobs/{job.id}/events", headers=STREAM)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.text.startswith("retry: 2000\n\n")
    events = sse(answer.text)
    assert ids(events) == list(range(1, job.version + 1))
    assert [event["event"] for event in events][-4:] == ["epoch", "epoch", "epoch", "end"]
    told = json.loads(events[-1]["data"])
    assert (told["seq"], told["type"]) == (job.version, "end")
    assert told["data"]["status"] == "succeeded"


def test_the_stream_and_its_polling_twin_tell_the_same(http: httpx.Client, play: Play) -> None:
    job = play.ended(epochs=3)

    twin = http.get(f"/v1/jobs/{job.id}/events").json()["data"]
    assert [json.loads(event["data"]) for event in sse(_whole(http, job))] == twin


def test_events_arrive_as_they_happen(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with _watching(http, job) as text:
        _until_watchers(server, 1)
        delays = []
        for number in range(1, 31):
            begun = time.perf_counter()
            play.tell(job, epoch(number))
            while f'"epoch":{number},' not in next(text):
                pass
            delays.append(time.perf_counter() - begun)
    assert sorted(delays)[15] < 0.05


def test_progress_comes_live_without_an_id(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with _watching(http, job) as text:
        _until_watchers(server, 1)
        play.tell(job, step(7))
        found = next(piece for piece in text if "progress" in piece)
    (event,) = [event for event in sse(found) if event["event"] == "progress"]
    assert "id" not in event
    assert json.loads(event["data"])["data"] == {"epoch": 1, "epochs": 5, "step": 7, "steps": 45, "eta_s": 1.5}


def test_printed_lines_stream_apart_and_close_with_the_end(http: httpx.Client, play: Play) -> None:
    job = play.running()
    play.tell(job, lines("one"), epoch(1), lines("two"), finished())

    events = sse(_whole(http, job, room="logs"))
    assert [event["event"] for event in events] == ["log", "log", "end"]
    resumed = sse(_whole(http, job, room="logs", **{"Last-Event-ID": events[0]["id"]}))
    assert [event["event"] for event in resumed] == ["log", "end"]


def test_an_empty_last_event_id_is_none(http: httpx.Client, play: Play) -> None:
    job = play.ended()
    assert ids(sse(_whole(http, job, **{"Last-Event-ID": ""}))) == list(range(1, job.version + 1))
    refused = http.get(f"/v1/jobs/{job.id}/events", headers={**STREAM, "Last-Event-ID": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/header/last-event-id")


def test_an_id_that_the_log_has_not_reached_hides_no_end(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with _watching(http, job, **{"Last-Event-ID": "1000"}) as text:
        _until_watchers(server, 1)
        play.tell(job, epoch(1), finished())
        assert [event["event"] for event in sse("".join(text))] == ["epoch", "end"]


def test_a_stream_cut_anywhere_goes_on_where_it_was(http: httpx.Client, play: Play) -> None:
    job = play.ended(epochs=12)
    recorded = _whole(http, job)
    rests = {last: ids(sse(_whole(http, job, **{"Last-Event-ID": str(last)}))) for last in range(job.version)}

    for cut in range(len(recorded)):
        complete = recorded[:cut].rpartition("\n\n")[0]
        seen = ids(sse(complete))
        assert seen + rests[seen[-1] if seen else 0] == list(range(1, job.version + 1))


def test_a_live_stream_cut_again_and_again_tells_every_event_once(
    server: Server, http: httpx.Client, play: Play
) -> None:
    job = play.running()
    seen: list[int] = []
    for number in itertools.count(1):
        with _watching(http, job, **{"Last-Event-ID": str(seen[-1] if seen else 0)}) as text:
            _until_watchers(server, 1)
            play.tell(job, epoch(number), lines("a"))
            if number == 10:
                play.tell(job, finished())
                seen += ids(sse("".join(text)))
                break
            seen += ids(sse(next(piece for piece in text if "id: " in piece)))
        until(lambda: server.hub.watchers == 0)
    assert seen == list(range(1, play.store.job(job.id).version + 1))


def test_last_event_id_goes_before_after(http: httpx.Client, play: Play) -> None:
    job = play.ended(epochs=3)
    path = f"/v1/jobs/{job.id}/events?after=1"

    assert ids(sse(http.get(path, headers=STREAM).text))[0] == 2
    assert ids(sse(http.get(path, headers={**STREAM, "Last-Event-ID": "3"}).text))[0] == 4


@pytest.mark.parametrize("room", ["events", "logs"])
def test_past_the_end_the_answer_is_204(http: httpx.Client, play: Play, room: str) -> None:
    job = play.ended()

    answer = http.get(f"/v1/jobs/{job.id}/{room}", headers={**STREAM, "Last-Event-ID": str(job.version)})
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_unknown_job_is_a_404_before_the_stream_opens(http: httpx.Client) -> None:
    answer = http.get(f"/v1/jobs/job_{'0' * 32}/events", headers=STREAM)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("last", ["x", "-1", "1e3", "99999999999999999999"])
def test_a_malformed_last_event_id_is_refused(http: httpx.Client, play: Play, last: str) -> None:
    answer = http.get(f"/v1/jobs/{play.ended().id}/events", headers={**STREAM, "Last-Event-ID": last})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/last-event-id"


def test_many_watchers_see_every_event_once_and_in_order(server: Server, play: Play) -> None:
    job = play.running()

    async def watch(client: httpx.AsyncClient) -> list[int]:
        answer = await client.get(f"/v1/jobs/{job.id}/events", headers=STREAM)
        return ids(sse(answer.text))

    def run() -> None:
        _until_watchers(server, WATCHERS)
        for number in range(1, 41):
            play.tell(job, epoch(number), lines(f"line {number}"))
        play.tell(job, finished())

    async def everyone() -> list[list[int]]:
        limits = httpx.Limits(max_connections=WATCHERS)
        async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60, trust_env=False) as client:
            watches = [asyncio.create_task(watch(client)) for _ in range(WATCHERS)]
            await asyncio.to_thread(run)
            return await asyncio.gather(*watches)

    seen = asyncio.run(everyone())
    assert seen == [list(range(1, play.store.job(job.id).version + 1))] * WATCHERS


def test_a_reader_that_takes_nothing_is_dropped_and_slows_nobody(
    server: Server, http: httpx.Client, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.watching.MOST_WAITING", 200)
    monkeypatch.setattr("api.stream.SEND_TIMEOUT_S", 1)
    job = play.running()
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        headers = "Host: localhost\r\nAccept: text/event-stream\r\nConnection: close"
        stuck.sendall(f"GET /v1/jobs/{job.id}/events HTTP/1.1\r\n{headers}\r\n\r\n".encode())
        _until_watchers(server, 1)
        with _watching(http, job) as text:
            _until_watchers(server, 2)
            slowest = 0.0
            for number in range(1, 301):
                begun = time.perf_counter()
                play.tell(job, lines(*[f"{number} {'x' * 8000}"] * 5), epoch(number))
                while f'"epoch":{number},' not in next(text):
                    pass
                slowest = max(slowest, time.perf_counter() - begun)
        until(lambda: server.hub.watchers == 0)
        stuck.settimeout(20)
        taken = b"".join(iter(lambda: stuck.recv(65536), b""))
    assert slowest < 1.0
    assert b"event: end" not in taken


def test_a_watcher_that_vanishes_is_forgotten(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with _watching(http, job):
        _until_watchers(server, 1)
    until(lambda: server.hub.watchers == 0)


def test_streams_hold_no_database_connection(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with _watching(http, job), _watching(http, job), _watching(http, job):
        _until_watchers(server, 3)
        assert all(http.get("/v1/jobs").status_code == 200 for _ in range(30))
