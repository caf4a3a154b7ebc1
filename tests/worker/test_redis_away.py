"""Training and new jobs go on without Redis: it makes a worker quick, not able."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from core.job import Reason, Status
from tests.acceptance.processes import free_port
from tests.servers import a_postgres, a_redis
from tests.worker.place import WITHIN_S, happens
from tests.worker.test_celery import Stack


def test_a_run_and_a_new_job_go_on_while_redis_is_away(tmp_path: Path, redis_of_its_own: Broker) -> None:
    broker, url = redis_of_its_own
    with (
        a_postgres() as database,
        closing(Stack(database, url, tmp_path)) as stack,
        stack.worker(TRAINWIRE_POLL_S="0.2") as worker,
    ):
        job = stack.submit(epochs=100_000)
        seen = stack.when(job, lambda now: now.latest is not None).version
        broker.kill()
        broker.wait()
        assert happens(lambda: stack.store.job(job.id).version > seen)
        other = stack.submit(ring=False)
        assert happens(lambda: stack.store.job(other.id).status is Status.SUCCEEDED)
        assert stack.store.job(job.id).attempt == 1
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN_S) == 0
        assert stack.store.job(job.id).status_reason is Reason.WORKER_DRAINED


Broker = tuple[subprocess.Popen[bytes], str]


@pytest.fixture
def redis_of_its_own(tmp_path: Path) -> Iterator[Broker]:
    """A Redis that a test may kill."""
    with a_redis(10):
        pass  # where there is none, this test is skipped like the others
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            with redis.Redis(port=port, retry=Retry(ConstantBackoff(0.1), 50)) as client:
                client.ping()
            yield server, f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
