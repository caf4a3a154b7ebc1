"""Watching through cuts: every event once and in order, and an end to patience."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

import pytest

from core.errors import NoServer, NotAllowed, NotFound, Unavailable
from core.job import EventType
from tests.trainwire.fakes import Answer, Scripted
from trainwire.client import Client

AT = "2026-11-23T04:05:06.789012Z"
LOG = [
    {"seq": 1, "type": "status", "at": AT, "data": {"status": "queued", "reason": None, "by": "user"}},
    {"seq": 2, "type": "epoch", "at": AT, "data": {"epoch": 1, "train_loss": 0.5}},
    {"seq": 3, "type": "epoch", "at": AT, "data": {"epoch": 2, "train_loss": 0.25}},
    {"seq": 4, "type": "end", "at": AT, "data": {"status": "succeeded", "reason": "completed"}},
]


def frames(events: Iterable[dict[str, object]]) -> bytes:
    text = [f"id: {event['seq']}\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    return "".join(text).encode()


def test_a_stream_is_read_to_its_end(scripted: Scripted) -> None:
    progress = b'event: progress\ndata: {"type": "progress", "data": {"epoch": 1, "step": 3}}\n\n'
    scripted.script = [Answer(body=b"retry: 2000\n\n: ping\n\n" + frames(LOG[:1]) + progress + frames(LOG[1:]))]
    events = list(Client(scripted.url, api_key="k").watch("job_1"))
    assert [event.seq for event in events] == [1, None, 2, 3, 4]
    assert [event.type for event in events[:2]] == [EventType.STATUS, EventType.PROGRESS]
    assert events[0].at is not None
    assert events[0].at.isoformat() == "2026-11-23T04:05:06.789012+00:00"
    path, headers = scripted.asked[0]
    assert path == "/v1/jobs/job_1/events"
    assert headers["authorization"] == "Bearer k"
    assert "last-event-id" not in headers


def test_a_stream_cut_at_any_byte_is_resumed_without_loss_or_repeat(scripted: Scripted) -> None:
    whole = frames(LOG)
    for cut in range(0, len(whole), 11):
        scripted.asked.clear()
        seen = whole[:cut].count(b"\n\n")
        scripted.script = [Answer(body=whole[:cut], cut=True), Answer(body=frames(LOG[seen:]))]
        assert [event.seq for event in Client(scripted.url).watch("job_1")] == [1, 2, 3, 4]
        assert scripted.asked[1][1].get("last-event-id") == (str(seen) if seen else None)


def test_what_a_server_sends_twice_is_given_once(scripted: Scripted) -> None:
    scripted.script = [Answer(body=frames(LOG[:3]), cut=True), Answer(body=frames(LOG))]
    assert [event.seq for event in Client(scripted.url).watch("job_1")] == [1, 2, 3, 4]


def test_a_server_that_is_busy_or_restarting_is_asked_again(scripted: Scripted) -> None:
    busy = Answer(status=503, body=b'{"code": "unavailable", "detail": "starting"}')
    scripted.script = [Answer(body=frames(LOG[:2])), busy, Answer(status=502), Answer(body=frames(LOG[2:]))]
    assert [event.seq for event in Client(scripted.url).watch("job_1")] == [1, 2, 3, 4]
    assert [headers.get("last-event-id") for _, headers in scripted.asked] == [None, "2", "2", "2"]


def test_a_service_that_is_away_is_told_of_once(scripted: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    away = Answer(status=503, body=b'{"detail": "starting."}')
    scripted.script = [Answer(body=frames(LOG[:2]), cut=True), away, away, away, Answer(body=frames(LOG[2:]))]
    with caplog.at_level(logging.WARNING):
        assert [event.seq for event in Client(scripted.url).watch("job_1")] == [1, 2, 3, 4]
    assert caplog.messages == ["starting. Asking again for up to 600 s."]


def test_a_stream_that_is_taken_up_at_once_is_not_worth_a_word(
    scripted: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.script = [Answer(body=frames(LOG[:2]), cut=True), Answer(body=frames(LOG[2:]))]
    assert len(list(Client(scripted.url).watch("job_1"))) == 4
    assert caplog.messages == []


def test_nothing_more_comes_after_the_end_was_read_before(scripted: Scripted) -> None:
    scripted.script = [Answer(status=204)]
    assert list(Client(scripted.url).watch("job_1", after=4)) == []
    assert scripted.asked[0][1]["last-event-id"] == "4"


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (401, NotAllowed), (503, Unavailable)])
def test_a_refusal_is_raised_with_its_problem(scripted: Scripted, status: int, error: type[Exception]) -> None:
    scripted.script = [Answer(status=status, body=b'{"detail": "because", "request_id": "r1"}')]
    with pytest.raises(error, match="because") as raised:
        list(Client(scripted.url).watch("job_1"))
    assert raised.value.problem["request_id"] == "r1"  # type: ignore[attr-defined]
    assert len(scripted.asked) == 1


def test_where_nobody_listens_there_is_no_server(free_url: str) -> None:
    with pytest.raises(NoServer, match=free_url):
        list(Client(free_url).watch("job_1"))
    with pytest.raises(NoServer, match=free_url):
        Client(free_url).job("job_1")


def test_patience_ends(scripted: Scripted) -> None:
    scripted.script = [Answer(body=frames(LOG[:1]), cut=True), Answer(status=503)]
    with pytest.raises(Unavailable):
        list(Client(scripted.url).watch("job_1", patience_s=0.2))
    assert len(scripted.asked) >= 3
