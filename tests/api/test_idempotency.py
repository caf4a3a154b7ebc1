"""Idempotency-Key: a request sent twice makes one job and gets one answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.server import Server
from core.bell import LocalWatchBell
from core.settings import Settings
from core.store import Store, schema
from tests.api.playing import SPEC, Play, WorkBellFake, epoch
from tests.servers import a_postgres

AT_ONCE = 50
KEY = {"Idempotency-Key": "0199f0c2"}
JSON = {"Content-Type": "application/json"}


def _count(client: TestClient) -> int:
    return len(client.get("/v1/jobs").json()["data"])


def _answer(answer: Any) -> tuple[Any, ...]:
    return answer.status_code, answer.content, answer.headers["Location"], answer.headers["ETag"]


def test_a_repeated_request_gets_the_first_answer_again(
    client: TestClient, play: Play, work_bell: WorkBellFake
) -> None:
    first = client.post("/v1/jobs", json=SPEC, headers=KEY)
    assert "Idempotent-Replayed" not in first.headers
    play.running()

    again = client.post("/v1/jobs", json=SPEC, headers=KEY)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert _answer(again) == _answer(first), "the answer of then, although the job runs by now"
    assert _count(client) == 2
    assert work_bell.rung == [None, None], "whoever gave the first answer may have died before it rang"


def test_without_a_key_every_request_is_a_job(client: TestClient) -> None:
    ids = {client.post("/v1/jobs", json=SPEC).json()["id"] for _ in range(3)}
    assert len(ids) == _count(client) == 3


def test_another_request_under_the_same_key_is_refused(client: TestClient) -> None:
    client.post("/v1/jobs", json=SPEC, headers=KEY)
    answer = client.post("/v1/jobs", json={**SPEC, "lr": 0.5}, headers=KEY)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "key_reused")
    assert problem["errors"][0]["pointer"] == "/header/idempotency-key"
    assert problem["detail"].endswith("Use a new key for a new request.")
    assert _count(client) == 1


def test_the_request_is_its_very_bytes(client: TestClient) -> None:
    compact, spaced = json.dumps(SPEC, separators=(",", ":")), json.dumps(SPEC, indent=1)
    client.post("/v1/jobs", content=compact, headers=KEY | JSON)

    assert client.post("/v1/jobs", content=spaced, headers=KEY | JSON).json()["code"] == "key_reused"
    assert client.post("/v1/jobs", content=compact, headers=KEY | JSON).status_code == 202


def test_a_refused_request_is_not_remembered(client: TestClient) -> None:
    assert client.post("/v1/jobs", json={**SPEC, "lr": -1}, headers=KEY).status_code == 422
    assert client.post("/v1/jobs", json=SPEC, headers=KEY).status_code == 202
    assert client.post("/v1/jobs", json={**SPEC, "lr": -1}, headers=KEY).json()["code"] == "invalid_spec"


@pytest.mark.parametrize("verb", ["retry", "fork"])
def test_the_other_roads_to_a_new_job_take_a_key_too(client: TestClient, play: Play, verb: str) -> None:
    old, other = play.failed(), play.failed()

    first, again = (client.post(f"/v1/jobs/{old.id}/{verb}", headers=KEY) for _ in range(2))
    assert _answer(first) == _answer(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert client.post(f"/v1/jobs/{other.id}/{verb}", headers=KEY).json()["code"] == "key_reused", "another path"
    assert _count(client) == 3


def test_a_fork_repeated_later_is_answered_as_it_was(client: TestClient, play: Play) -> None:
    job = play.running()
    play.tell(job, epoch(1))
    body = {"patch": {"epochs": 2}}
    first = client.post(f"/v1/jobs/{job.id}/fork", json=body, headers=KEY)
    assert first.json()["parent"]["epoch"] == 1

    play.tell(job, epoch(2), epoch(3))  # by now the patch would end the fork before its own start
    assert _answer(client.post(f"/v1/jobs/{job.id}/fork", json=body, headers=KEY)) == _answer(first)


@pytest.mark.parametrize("key", ["", "a" * 256, "é", "\x7f", "a\tb"])
def test_a_key_that_is_none_is_named(client: TestClient, key: str) -> None:
    answer = client.post("/v1/jobs", json=SPEC, headers={b"Idempotency-Key": key.encode()})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert answer.json()["errors"][0]["pointer"] == "/header/idempotency-key"
    assert _count(client) == 0


@pytest.mark.parametrize("key", ["a", " b c ", "~" * 255, '"quoted"', "%00"])
def test_any_printable_key_will_do(client: TestClient, key: str) -> None:
    for replayed in (None, "true"):
        answer = client.post("/v1/jobs", json=SPEC, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (202, replayed)


@pytest.fixture(params=["sqlite", "postgres"])
def crowded(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Server]:
    """An API on a socket, over each database."""
    with ExitStack() as stack:
        url = settings.database_url if request.param == "sqlite" else stack.enter_context(a_postgres())
        schema.upgrade(url)
        store = Store.open(url, settings=settings)
        stack.callback(store.close)
        app = create_app(store=store, watch_bell=LocalWatchBell(), work_bell=WorkBellFake(), settings=settings)
        yield stack.enter_context(Server(app, "127.0.0.1", 0))


def test_fifty_at_once_make_one_job_and_get_one_answer(crowded: Server) -> None:
    async def everyone() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(base_url=crowded.url, limits=limits, timeout=60, trust_env=False) as client:
            return await asyncio.gather(*(client.post("/v1/jobs", json=SPEC, headers=KEY) for _ in range(AT_ONCE)))

    answers = asyncio.run(everyone())
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    listed = httpx.get(f"{crowded.url}/v1/jobs", trust_env=False).json()["data"]
    assert [job["id"] for job in listed] == [answers[0].json()["id"]]
