"""Many jobs on one stream, over a real socket: all of them by their states, named ones with every event."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import pytest

from api.server import Server
from tests.api.playing import SPEC, Play, epoch, finished, lines, step
from tests.api.reading import PATH, STREAM, epochs_of, reading, seqs_of
from tests.api.waiting import until


def test_a_fresh_stream_says_first_to_read_what_there_is(http: httpx.Client, play: Play) -> None:
    play.running()
    with http.stream("GET", PATH, headers=STREAM) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-cache"
        pieces = answer.iter_text()
        text = next(pieces)
        while "reset" not in text:
            text += next(pieces)
    assert text.startswith("retry: 2000\n\nid: ")
    assert text.endswith('event: reset\ndata: {"type":"reset","data":{}}\n\n')


def test_each_change_of_any_job_tells_the_job_as_its_own_page_does(http: httpx.Client, play: Play) -> None:
    first, second = play.running(), play.running()
    with reading(http) as reader:
        reader.until("reset")
        play.tell(first, epoch(1))
        play.tell(second, epoch(1), finished())
        told = reader.until("job", job=second.id, status="succeeded")
        assert told["data"] == http.get(f"/v1/jobs/{second.id}").json()
        play.tell(first, epoch(2))
        assert [reader.until("job", job=first.id)["data"]["latest"]["epoch"] for _ in range(1)]
    assert not any("seq" in message for message in reader.seen), "events are told of named jobs alone"


def test_a_job_that_is_made_later_appears_and_one_that_is_deleted_goes(http: httpx.Client, play: Play) -> None:
    old = play.ended()
    with reading(http) as reader:
        reader.until("reset")
        made = http.post("/v1/jobs", json=SPEC).json()
        assert reader.until("job", job=made["id"])["data"]["status"] == "queued"
        assert http.delete(f"/v1/jobs/{old.id}").status_code == 204
        assert reader.until("deleted")["job"] == old.id


def test_progress_comes_between_states_and_without_an_id(http: httpx.Client, play: Play) -> None:
    job = play.running()
    with reading(http) as reader:
        reader.until("reset")
        play.tell(job, epoch(1))
        reader.until("job", job=job.id)
        cursor = reader.cursor
        play.tell(job, step(7, epoch=2))
        told = reader.until("progress", job=job.id)
        assert told["data"] == {"epoch": 2, "epochs": 5, "step": 7, "steps": 45, "eta_s": 1.5}
        assert reader.cursor == cursor
    assert len([one for one in reader.seen if one["type"] == "job"]) == 1, "progress alone tells no whole job"


def test_a_job_that_changes_all_the_time_is_told_a_few_times_a_second(http: httpx.Client, play: Play) -> None:
    job = play.running()
    with reading(http) as reader:
        reader.until("reset")
        begun = time.monotonic()
        for number in range(1, 201):
            play.tell(job, epoch(number))
        play.tell(job, finished())
        reader.until("job", job=job.id, status="succeeded")
        took = time.monotonic() - begun
    states = [one for one in reader.seen if one["type"] == "job"]
    assert len(states) <= 2 + took / 0.25
    assert states[-1]["data"]["latest"]["epoch"] == 200, "the newest wins"


def test_who_comes_back_hears_of_each_job_that_changed_meanwhile(
    http: httpx.Client, server: Server, play: Play
) -> None:
    changed, still, gone = play.running(), play.running(), play.ended()
    with reading(http) as reader:
        reader.until("reset")
        play.tell(still, epoch(1))
        reader.until("job", job=still.id)
    until(lambda: server.hub.watchers == 0)
    play.tell(changed, epoch(1))
    play.tell(changed, epoch(2))
    http.delete(f"/v1/jobs/{gone.id}")
    new = play.queued()
    play.bell.ring(new.id)
    with reading(http, after=reader.cursor) as again:
        again.until("job", job=new.id)
    assert [(one["type"], one["job"]) for one in again.seen] == [
        ("job", changed.id),
        ("deleted", gone.id),
        ("job", new.id),
    ]
    assert again.seen[0]["data"]["latest"]["epoch"] == 2


@pytest.mark.parametrize("cursor", ["0badc0de.7", "x", "1.2.3", "ffffffff." + "9" * 5000])
def test_a_cursor_of_elsewhere_is_a_reset(http: httpx.Client, play: Play, cursor: str) -> None:
    job = play.running()
    with reading(http, after=cursor) as reader:
        assert reader.until("reset")
        play.tell(job, epoch(1))
        reader.until("job", job=job.id)
    with reading(http, job, after=cursor) as reader:
        assert reader.until("reset")


def test_named_jobs_tell_every_event_once_and_their_states(http: httpx.Client, play: Play) -> None:
    one, two, other = play.running(), play.running(), play.running()
    with reading(http, one, two) as reader:
        reader.until("reset")
        for number in range(1, 31):
            play.tell(one, epoch(number), lines("a"))
            play.tell(two, epoch(number))
            play.tell(other, epoch(number))
        play.tell(one, finished())
        play.tell(two, finished())
        seen = reader.to_the_end()
    for job in (one, two):
        assert epochs_of(seen, job) == list(range(1, 31))
        assert seqs_of(seen, job) == list(range(job.version + 1, play.store.job(job.id).version + 1))
        last = [message for message in seen if message["type"] == "job" and message["job"] == job.id][-1]
        assert last["data"]["status"] == "succeeded"
    assert not [message for message in seen if message.get("job") == other.id]


def test_a_stream_of_named_jobs_cut_again_and_again_tells_every_event_once(
    http: httpx.Client, server: Server, play: Play
) -> None:
    jobs = [play.running(), play.running(), play.running()]
    seen: list[dict[str, Any]] = []
    cursor = None
    for number in range(1, 9):
        with reading(http, *jobs, after=cursor) as reader:
            if cursor is None:
                reader.until("reset")
            for job in jobs:
                play.tell(job, epoch(number), lines("a"))
            reader.until("epoch", job=jobs[number % 3].id, epoch=number)
        until(lambda: server.hub.watchers == 0)
        seen, cursor = seen + reader.seen, reader.cursor
    for job in jobs:
        play.tell(job, finished())
    with reading(http, *jobs, after=cursor) as reader:
        seen += reader.to_the_end()
    for job in jobs:
        assert seqs_of(seen, job) == list(range(job.version + 1, play.store.job(job.id).version + 1))
    answer = http.get(
        PATH, params={"jobs": ",".join(job.id for job in jobs)}, headers={**STREAM, "Last-Event-ID": reader.cursor}
    )
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_cursor_outlives_the_process_where_jobs_are_named(http: httpx.Client, play: Play, make_app: Any) -> None:
    job = play.running()
    with reading(http, job) as reader:
        reader.until("reset")
        play.tell(job, epoch(1))
        reader.until("epoch", epoch=1)
    play.tell(job, epoch(2))
    with Server(make_app(), "127.0.0.1", 0) as other, httpx.Client(base_url=other.url, trust_env=False) as elsewhere:
        with reading(elsewhere, job, after=reader.cursor) as again:
            again.until("epoch", epoch=2)
        assert [one["type"] for one in again.seen] == ["job", "epoch"]
        with reading(elsewhere, after=reader.cursor) as again:
            again.until("reset")


def test_a_named_job_that_is_deleted_is_told_so_once(http: httpx.Client, play: Play) -> None:
    gone, lasting = play.ended(), play.running()
    with reading(http, gone, lasting) as reader:
        reader.until("reset")
        http.delete(f"/v1/jobs/{gone.id}")
        reader.until("deleted", job=gone.id)
    with reading(http, gone, lasting, after=reader.cursor) as again:
        play.tell(lasting, epoch(1))
        again.until("epoch", job=lasting.id)
    assert not [one for one in again.seen if one["type"] == "deleted"]
    with reading(http, gone, lasting) as fresh:
        fresh.until("deleted", job=gone.id)


@pytest.mark.parametrize(
    ("jobs", "status", "detail"),
    [
        ("", 422, "names no job"),
        (" , ", 422, "names no job"),
        ("job_1", 404, "There is no job 'job_1'."),
        (f"job_{'0' * 32}", 404, "There is no job"),
        (",".join(f"job_{number:032x}" for number in range(201)), 422, "names 201 jobs, but 200 at most"),
    ],
)
def test_what_names_no_jobs_is_refused_before_the_stream_opens(
    http: httpx.Client, jobs: str, status: int, detail: str
) -> None:
    answer = http.get(PATH, params={"jobs": jobs}, headers=STREAM)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert detail in answer.json()["detail"]


def test_the_polling_twin_tells_the_same_page_by_page(http: httpx.Client, play: Play) -> None:
    job, other = play.running(), play.running()
    begun = http.get(PATH).json()
    assert [one["type"] for one in begun["data"]] == ["reset"]
    play.tell(job, epoch(1))
    page = http.get(PATH, params={"after": begun["next"], "wait": 20}).json()
    assert [(one["type"], one["job"]) for one in page["data"]] == [("job", job.id)]
    assert http.get(PATH, params={"after": page["next"]}).json() == {
        "data": [],
        "has_more": False,
        "next": page["next"],
    }
    named = {"jobs": f"{job.id},{other.id}"}
    cursor = http.get(PATH, params=named).json()["next"]
    play.tell(job, epoch(2), lines(*["a"] * 1500))
    play.tell(other, epoch(1))
    seen: list[dict[str, Any]] = []
    for _ in range(3):
        page = http.get(PATH, params={**named, "after": cursor, "wait": 0}).json()
        seen, cursor = seen + page["data"], page["next"]
        if not page["has_more"]:
            break
    assert seqs_of(seen, job) == list(range(job.version + 2, job.version + 1503))
    assert epochs_of(seen, other) == [1]


def test_a_stuck_reader_slows_nobody_and_is_let_go(
    server: Server, http: httpx.Client, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.stream.SEND_TIMEOUT_S", 1)
    job = play.running(name="x" * 200)
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET {PATH}?jobs={job.id} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        stuck.sendall(request.encode())
        until(lambda: server.hub.watchers == 1)
        with reading(http, job) as reader:
            reader.until("reset")
            for number in range(1, 151):
                play.tell(job, lines(*[f"{number} {'x' * 8000}"] * 5), epoch(number))
                reader.until("epoch", epoch=number)
            until(lambda: server.hub.watchers == 1)
    assert epochs_of(reader.seen, job) == list(range(1, 151))


def test_a_server_that_stops_ends_its_streams_at_once(make_app: Any, play: Play) -> None:
    job = play.running()
    with (
        Server(make_app(), "127.0.0.1", 0) as server,
        httpx.Client(base_url=server.url, trust_env=False) as http,
        reading(http) as all_jobs,
        reading(http, job) as one,
    ):
        all_jobs.until("reset")
        one.until("reset")
        server.stop()
        assert [[message["type"] for message in reader.to_the_end()] for reader in (all_jobs, one)] == [["reset"]] * 2


def test_head_answers_without_beginning_a_stream(http: httpx.Client, server: Server) -> None:
    answer = http.head(PATH, headers=STREAM)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert server.hub.watchers == 0
