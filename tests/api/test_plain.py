"""A job's log as plain text: a line an epoch, drawn as it arrives."""

from __future__ import annotations

import math

import httpx
import pytest

from api.server import Server
from tests.api.playing import Play, diverged, epoch, finished, lines
from tests.api.waiting import until

TEXT = {"Accept": "text/plain"}


def test_an_epoch_is_a_line_with_its_losses_drawn_on_one_scale(http: httpx.Client, play: Play) -> None:
    job = play.running(epochs=12)
    play.tell(job, epoch(1, loss=1.0), epoch(2, loss=0.1), epoch(3, loss=50.0), epoch(4, loss=0.0), finished())
    answer = http.get(f"/v1/jobs/{job.id}/events", headers=TEXT)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    told = answer.text.splitlines()
    assert told[:3] == [
        "training on cpu: 610 parameters, 1,437 samples to learn from, 360 to check on",
        "· train and ● val: 0.0011 to 1.1000, in equal ratios",
        "epoch  1/12  train 1.0000     val 1.1000     │" + "●".rjust(32) + "│",
    ]
    assert told[3] == "epoch  2/12  train 0.1000     val 0.1100     │" + "·●".rjust(22) + " " * 10 + "│"
    assert told[4].endswith("●│"), "what is beyond the scale stands at its edge"
    assert told[5].endswith("│●" + " " * 31 + "│")
    assert told[6:] == ["succeeded: completed"]
    assert all(len(line) <= 80 for line in told)


def test_a_cost_that_is_no_number_is_named_and_leaves_a_gap(http: httpx.Client, play: Play) -> None:
    job = play.running(epochs=2)
    play.tell(job, epoch(1, loss=math.nan), diverged())
    told = http.get(f"/v1/jobs/{job.id}/events", headers=TEXT).text.splitlines()
    assert told[1] == "epoch 1/2  train nan        val nan        │" + " " * 32 + "│"
    assert told[2:] == ["failed: diverged", "The cost became NaN in epoch 2.", "Lower lr."]


def test_lines_arrive_as_they_happen(server: Server, http: httpx.Client, play: Play) -> None:
    job = play.running()
    with http.stream("GET", f"/v1/jobs/{job.id}/events", headers=TEXT) as answer:
        told = answer.iter_lines()
        assert next(told).startswith("training on cpu")
        until(lambda: server.hub.watchers == 1)
        play.tell(job, epoch(1))
        assert next(told).startswith("· train")
        assert next(told).startswith("epoch 1/5")
        play.tell(job, finished())
        assert list(told) == ["succeeded: completed"]


def test_printed_lines_come_as_they_are_and_steer_no_terminal(http: httpx.Client, play: Play) -> None:
    job = play.running()
    play.tell(job, lines("one", "\x1b[2Jtwo"), epoch(1), finished())
    told = http.get(f"/v1/jobs/{job.id}/logs", headers=TEXT).text.splitlines()
    assert told == ["one", "\N{REPLACEMENT CHARACTER}[2Jtwo", "succeeded: completed"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json, text/plain, */*", "application/json"),
        ("*/*", "application/json"),
        ("text/plain;q=0.9, */*", "text/plain; charset=utf-8"),
        ("text/event-stream, text/plain", "text/event-stream; charset=utf-8"),
    ],
)
def test_only_who_asks_for_text_first_gets_it(http: httpx.Client, play: Play, accept: str, media_type: str) -> None:
    answer = http.get(f"/v1/jobs/{play.ended().id}/events", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == media_type
