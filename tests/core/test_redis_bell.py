"""The watchers' bell between processes: heard, and harmless without Redis."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
import redis

from core.bell import MISSED
from core.redis_bell import RedisWatchBell
from tests.servers import REDIS, a_redis

URL = f"{REDIS}/9"
WITHIN_S = 60.0


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with a_redis(9), redis.Redis.from_url(URL) as client:
        yield client


@pytest.fixture
def channel(server: redis.Redis) -> str:  # noqa: ARG001 - there must be one
    return f"trainwire-test:{uuid.uuid4().hex}"


def test_a_ring_is_heard_in_every_process(channel: str) -> None:
    heard: queue.Queue[str] = queue.Queue()
    here, there = RedisWatchBell(URL, channel=channel), RedisWatchBell(URL, channel=channel)
    here.listen(heard.put)
    there.listen(heard.put)
    here.ring("job_1")
    assert [heard.get(timeout=WITHIN_S), heard.get(timeout=WITHIN_S)] == ["job_1", "job_1"]
    here.close()
    there.close()


def test_who_left_hears_no_more(channel: str) -> None:
    gone: list[str] = []
    heard: queue.Queue[str] = queue.Queue()
    bell = RedisWatchBell(URL, channel=channel)
    leave = bell.listen(gone.append)
    bell.listen(heard.put)
    leave()
    bell.ring("job_1")
    assert heard.get(timeout=WITHIN_S) == "job_1"
    assert gone == []
    bell.close()


def test_a_cut_connection_is_made_again_and_told_of(server: redis.Redis, channel: str) -> None:
    heard: queue.Queue[str] = queue.Queue()
    bell, other = RedisWatchBell(URL, channel=channel), RedisWatchBell(URL, channel=channel)
    bell.listen(heard.put)
    own = [client for client in server.client_list(_type="pubsub") if client["name"] == channel]
    for client in own:
        server.client_kill_filter(_id=client["id"])
    assert own
    assert heard.get(timeout=WITHIN_S) == MISSED, "what was rung meanwhile nobody knows"
    other.ring("job_2")
    assert heard.get(timeout=WITHIN_S) == "job_2"
    bell.close()
    other.close()


def test_without_redis_the_listeners_of_the_same_process_hear(caplog: pytest.LogCaptureFixture) -> None:
    heard: queue.Queue[str] = queue.Queue()
    bell = RedisWatchBell("redis://127.0.0.1:1/0")
    bell.listen(heard.put)
    with caplog.at_level(logging.WARNING):
        while heard.empty():
            bell.ring("job_1")
            threading.Event().wait(0.01)
    assert heard.get() == "job_1"
    bell.close()


def test_without_redis_a_ring_returns_at_once_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    bell = RedisWatchBell("redis://127.0.0.1:1/0")
    with caplog.at_level(logging.WARNING):
        began = time.monotonic()
        for number in range(1000):
            bell.ring(f"job_{number}")
        assert time.monotonic() - began < 0.5
        bell.listen(lambda _: None)
    assert sum("Redis is away" in message for message in caplog.messages) == 1
    bell.close()


def test_both_threads_missing_redis_at_one_moment_say_so_once(caplog: pytest.LogCaptureFixture) -> None:
    said, other_tried = threading.Event(), threading.Event()

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - only that there is one
            said.set()
            other_tried.wait(WITHIN_S)

    slow, bell = Slow(), RedisWatchBell("redis://127.0.0.1:1/0")
    slow.createLock = lambda: None  # type: ignore[method-assign]
    slow.lock = None
    log = logging.getLogger("core.redis_bell")
    log.addHandler(slow)
    try:
        bell.ring("job_1")
        assert said.wait(WITHIN_S)
        bell.listen(lambda _: None)  # returns when the second thread has tried in vain
    finally:
        other_tried.set()
        log.removeHandler(slow)
    bell.close()
    assert sum("Redis is away" in message for message in caplog.messages) == 1
