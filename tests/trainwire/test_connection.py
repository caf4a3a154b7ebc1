"""Writes on a bad road: what was sent once is done once, and what was never sent is said at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from core.errors import Gone, KeyReused, NoServer, Unavailable, WrongStatus
from tests.trainwire.fakes import Answer, Scripted, job_body
from tests.trainwire.specs import QUICK
from trainwire.client import Client

LOST = Answer(body=b'{"id": "jo', cut=True)
BUSY = Answer(status=503, body=b'{"code": "unavailable", "detail": "the database is away"}')

MAKING: list[Callable[[Client], object]] = [
    lambda client: client.submit(QUICK),
    lambda client: client.retry("job_1"),
    lambda client: client.fork("job_1", epoch=2, patch={"lr": 0.1}),
]


@pytest.mark.parametrize("ask", MAKING)
def test_what_makes_a_job_is_repeated_under_one_key_until_it_is_answered(
    scripted: Scripted, ask: Callable[[Client], object]
) -> None:
    scripted.script = [LOST, BUSY, Answer(status=202, body=job_body())]
    with Client(scripted.url) as client:
        ask(client)
        keys = [headers["idempotency-key"] for _, headers in scripted.asked]
        assert len(keys) == 3
        assert len(set(keys)) == 1
        ask(client)
    assert scripted.asked[-1][1]["idempotency-key"] != keys[0]


def test_a_key_of_one_s_own_is_sent_as_it_is(scripted: Scripted) -> None:
    scripted.script = [Answer(status=202, body=job_body())]
    with Client(scripted.url) as client:
        client.submit(QUICK, idempotency_key="tonight-7")
    assert scripted.asked[0][1]["idempotency-key"] == "tonight-7"


def test_verbs_are_repeated_too(scripted: Scripted) -> None:
    scripted.script = [LOST, Answer(body=job_body(status="paused"))]
    with Client(scripted.url) as client:
        assert client.pause("job_1").status == "paused"
        client.resume("job_1")
        client.cancel("job_1")
        client.cancel("job_1", force=True)
    paths = [path for path, _ in scripted.asked]
    assert paths[:2] == ["/v1/jobs/job_1/pause"] * 2
    assert paths[2:] == ["/v1/jobs/job_1/resume", "/v1/jobs/job_1/cancel", "/v1/jobs/job_1/cancel?force=true"]


def test_a_deletion_is_repeated_and_gives_nothing(scripted: Scripted) -> None:
    scripted.script = [LOST, Answer(status=204)]
    with Client(scripted.url) as client:
        client.delete("job_1")
    assert [path for path, _ in scripted.asked] == ["/v1/jobs/job_1"] * 2


def test_where_nobody_listens_a_submission_fails_at_once(free_url: str) -> None:
    started = time.monotonic()
    with Client(free_url) as client, pytest.raises(NoServer) as refused:
        client.submit(QUICK)
    assert time.monotonic() - started < 5
    assert refused.value.hint == "Start one with: trainwire up"


@pytest.mark.parametrize(("answer", "error"), [(LOST, NoServer), (BUSY, Unavailable)])
def test_what_is_never_answered_says_that_it_may_have_been_done(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, answer: Answer, error: type[NoServer | Unavailable]
) -> None:
    monkeypatch.setattr("trainwire.connection.INSIST_S", 0.3)
    scripted.script = [answer]
    with Client(scripted.url) as client, pytest.raises(error) as refused:
        client.submit(QUICK)
    assert refused.value.hint == "Whether it was done is not known; `trainwire jobs` shows it."
    assert len(scripted.asked) >= 3


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(410, "gone", Gone), (422, "key_reused", KeyReused), (409, "wrong_status", WrongStatus)],
)
def test_a_refusal_is_not_repeated(scripted: Scripted, status: int, code: str, error: type[Exception]) -> None:
    scripted.script = [Answer(status=status, body=b'{"code": "%s", "detail": "because"}' % code.encode())]
    with Client(scripted.url) as client, pytest.raises(error, match="because"):
        client.retry("job_1", from_start=True)
    assert len(scripted.asked) == 1
