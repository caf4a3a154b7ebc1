"""What forwarding says and sends where a real server cannot be made to: a service that is away, and credentials."""

from __future__ import annotations

import json
import logging
from contextlib import closing

import pytest

from tests.trainwire import warm
from tests.trainwire.fakes import Answer, Scripted
from trainwire.client import Client
from trainwire.forwarding import Forwarder, Tracking

EMPTY = {"data": [], "has_more": False, "experiment": {"experiment_id": "0"}, "runs": []}
"""What both a service without jobs and a tracking server without runs may answer."""


@pytest.fixture(autouse=True)
def answers(scripted: Scripted) -> None:
    scripted.script = [Answer(body=json.dumps(EMPTY).encode(), media_type="application/json")]


def test_a_service_that_stays_away_is_told_of_once_and_asked_ever_less_often(
    scripted: Scripted, free_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr("trainwire.watching.time.sleep", sleep)
    with Client(free_url) as away, closing(Tracking(scripted.url, experiment="trainwire")) as tracking:
        forwarder = Forwarder(away, tracking)
        with caplog.at_level(logging.WARNING), pytest.raises(KeyboardInterrupt):
            forwarder.follow()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    (message,) = caplog.messages
    assert free_url in message
    assert message.endswith(" Asking again.")


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ({"TOKEN": "secret"}, "Bearer secret"),
        ({"USERNAME": "ada", "PASSWORD": "pass"}, "Basic YWRhOnBhc3M="),
        ({"TOKEN": "secret", "USERNAME": "ada", "PASSWORD": "pass"}, "Bearer secret"),
        ({"USERNAME": "ada"}, None),
        ({}, None),
    ],
)
def test_the_server_is_sent_the_credentials_that_are_set(
    scripted: Scripted, told: dict[str, str], sent: str | None
) -> None:
    env = {f"MLFLOW_TRACKING_{name}": value for name, value in told.items()}
    done = warm.trainwire("mlflow", scripted.url, "--once", "--url", scripted.url, env=env)
    assert done.returncode == 0, done.stderr
    asked = [headers.get("authorization") for path, headers in scripted.asked if path.startswith("/api/2.0/mlflow/")]
    assert asked == [sent, sent]
