"""The API as a process: it starts or says why not, and ends within 3 s whatever is open."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from api.listening import bound, check_exposure
from api.server import Server, serve
from core.errors import StartRefused
from core.store import schema
from tests.api.conftest import MakeApp
from tests.api.playing import SPEC
from tests.api.waiting import until

STREAMS = 50
MOST_S = 15.0
"""A whole second is long; this only tells soon from never."""


@contextmanager
def _process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A serving process, its URL and a job that runs there."""
    command = [sys.executable, "-m", "tests.api.serving", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url, job_id = process.stdout.readline().split()
        yield process, url, job_id
    finally:
        process.kill()
        process.communicate()


def _ended(process: subprocess.Popen[str], sent: signal.Signals) -> float:
    begun = time.monotonic()
    process.send_signal(sent)
    process.wait(timeout=20)
    return time.monotonic() - begun


@pytest.mark.parametrize("sent", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.full)])
def test_a_signal_ends_the_process_with_many_streams_open(tmp_path: Path, sent: signal.Signals) -> None:
    with _process(tmp_path) as (process, url, job_id):

        async def watch(client: httpx.AsyncClient, opened: list[int]) -> str:
            headers = {"Accept": "text/event-stream"}
            async with client.stream("GET", f"{url}/v1/jobs/{job_id}/events", headers=headers) as answer:
                opened.append(answer.status_code)
                return "".join([text async for text in answer.aiter_text()])

        async def story() -> tuple[float, list[str]]:
            opened: list[int] = []
            limits = httpx.Limits(max_connections=STREAMS)
            async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client:
                watches = [asyncio.create_task(watch(client, opened)) for _ in range(STREAMS)]
                await asyncio.to_thread(until, lambda: len(opened) == STREAMS)
                took = await asyncio.to_thread(_ended, process, sent)
                return took, await asyncio.gather(*watches)

        took, texts = asyncio.run(story())
        assert process.returncode == 0
        assert process.stdout is not None
        assert "closed in order" in process.stdout.read()
    assert took < MOST_S
    assert all("event: started" in text for text in texts), "every stream ended whole"


def test_a_long_poll_and_a_stuck_reader_keep_no_process_alive(tmp_path: Path) -> None:
    with _process(tmp_path) as (process, url, job_id), closing(socket.create_connection(_address(url))) as stuck:
        stuck.sendall(f"GET /v1/jobs/{job_id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with closing(socket.create_connection(_address(url))) as half:
            half.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            until(lambda: "trainwire_watchers 1.0" in httpx.get(f"{url}/metrics", trust_env=False).text)
            assert _ended(process, signal.SIGTERM) < MOST_S
        assert stuck.recv(65536).startswith(b"HTTP/1.1 200")
        assert process.returncode == 0


def test_what_was_accepted_is_there_whatever_kills_the_process(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "once"}
    with _process(tmp_path) as (process, url, job_id):
        # a raw socket, so that nothing lies between the last byte of the answer and the kill
        with closing(socket.create_connection(_address(url))) as raw:
            body = json.dumps(SPEC)
            head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            raw.sendall(f"POST /v1/jobs HTTP/1.1\r\n{head}\r\nIdempotency-Key: once\r\n\r\n{body}".encode())
            answer = raw.recv(12)
            process.kill()
        assert answer == b"HTTP/1.1 202"
    with _process(tmp_path) as (_, url, other_id), httpx.Client(base_url=url, trust_env=False) as client:
        (accepted,) = [job for job in client.get("/v1/jobs").json()["data"] if job["id"] not in {job_id, other_id}]
        again = client.post("/v1/jobs", content=body, headers={**key, "Content-Type": "application/json"})
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json()["id"] == accepted["id"]


def _address(url: str) -> tuple[str, int]:
    parsed = httpx.URL(url)
    assert parsed.port is not None
    return parsed.host, parsed.port


def test_a_taken_port_is_one_sentence_that_names_it(make_app: MakeApp) -> None:
    with bound("127.0.0.1", 0) as other, pytest.raises(StartRefused, match=f"{other.getsockname()[1]}.*taken"):
        serve(make_app(), "127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize("host", ["no.such.host.invalid", "999.1.1.1"])
def test_an_address_that_is_not_ours_is_one_sentence(host: str) -> None:
    with pytest.raises(StartRefused, match=host):
        bound(host, 0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.org"])
def test_beyond_loopback_a_key_is_needed(host: str) -> None:
    with pytest.raises(StartRefused, match="TRAINWIRE_API_KEY"):
        check_exposure(host, has_key=False)
    check_exposure(host, has_key=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_on_loopback_no_key_is_needed(host: str) -> None:
    check_exposure(host, has_key=False)


def test_a_server_in_a_thread_tells_its_port_and_stops_at_once(make_app: MakeApp) -> None:
    told: list[str] = []
    with Server(make_app(), "localhost", 0, ready=told.append) as server:
        until(lambda: bool(told))
        assert told == [server.url]
        assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
        begun = time.monotonic()
    assert time.monotonic() - begun < MOST_S
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_one_app_can_be_served_again(make_app: MakeApp) -> None:
    app = make_app()
    for _ in range(2):
        with Server(app, "127.0.0.1", 0) as server:
            assert httpx.get(f"{server.url}/v1/jobs", trust_env=False).status_code == 200


def _door(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    settings = {
        "TRAINWIRE_DATABASE_URL": f"sqlite:///{tmp_path / 'trainwire.db'}",
        "TRAINWIRE_ARTIFACTS": str(tmp_path / "artifacts"),
        "TRAINWIRE_BROKER_URL": "redis://127.0.0.1:1/0",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRAINWIRE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api", *arguments],
        env={**kept, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["--host", "0.0.0.0"], {}, "TRAINWIRE_API_KEY"),
        (["--port", "0"], {"TRAINWIRE_BROKER_URL": ""}, "TRAINWIRE_BROKER_URL"),
        (["--port", "0"], {}, "migrate"),
    ],
)
def test_the_door_says_in_one_sentence_why_it_stays_shut(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], word: str
) -> None:
    process = _door(tmp_path, *arguments, **environment)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert word in errors
    assert len(errors.strip().splitlines()) == 1


def test_the_door_serves_while_the_broker_is_away(tmp_path: Path) -> None:
    schema.upgrade(f"sqlite:///{tmp_path / 'trainwire.db'}")
    process = _door(tmp_path, "--port", "0")
    try:
        assert process.stderr is not None
        url = next(line for line in process.stderr if "listening on" in line).split()[-1]
        answer = httpx.post(f"{url}/v1/jobs", json={"dataset": "iris", "model": "linear"}, trust_env=False)
        assert answer.status_code == 202
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()
