"""The Celery bell: a message that carries nothing, to queues that someone serves, and never an error."""

from __future__ import annotations

import time
import uuid

import pytest
from celery import Celery

from api.bells import TASK, CeleryWorkBell
from tests.api.waiting import until


@pytest.fixture
def names() -> tuple[str, str]:
    """Two queues of this test's own: the in-memory broker is one for the process."""
    return f"cpu-{uuid.uuid4().hex}", f"gpu-{uuid.uuid4().hex}"


@pytest.fixture
def bell(names: tuple[str, str]) -> CeleryWorkBell:
    return CeleryWorkBell("memory://", served=lambda: set(names))


def _rung(bell: CeleryWorkBell, queue: str | None) -> None:
    """Ring, and wait until it was sent."""
    bell.ring(queue)
    bell.close()


def _messages(queue: str) -> list[str]:
    with Celery(broker="memory://", set_as_current=False).connection_for_read() as connection:
        simple = connection.SimpleQueue(queue)
        found = []
        while simple.qsize():
            message = simple.get(block=False)
            message.ack()
            assert message.payload[:2] == [[], {}]
            found.append(message.headers["task"])
        return found


def test_a_ring_says_look_in_its_queue(bell: CeleryWorkBell, names: tuple[str, str]) -> None:
    _rung(bell, names[0])

    assert (_messages(names[0]), _messages(names[1])) == ([TASK], [])


def test_a_job_without_a_queue_rings_everyone(bell: CeleryWorkBell, names: tuple[str, str]) -> None:
    _rung(bell, None)

    assert (_messages(names[0]), _messages(names[1])) == ([TASK], [TASK])


def test_a_queue_that_nobody_serves_gets_no_message(bell: CeleryWorkBell) -> None:
    _rung(bell, "nobody")

    assert _messages("nobody") == []


def test_a_broker_that_is_away_costs_no_error_and_no_time(caplog: pytest.LogCaptureFixture) -> None:
    bell = CeleryWorkBell("redis://127.0.0.1:1/0", served=lambda: {"cpu"})
    begun = time.monotonic()
    for _ in range(100):
        bell.ring("cpu")
    assert time.monotonic() - begun < 0.5
    until(lambda: "could not ring" in caplog.text)
    bell.close()
