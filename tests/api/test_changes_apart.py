"""The stream of many jobs from two replicas of the API that share PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.app import create_app
from api.server import Server
from core.redis_bell import RedisWatchBell
from core.settings import Settings
from core.store import Store, schema
from tests.api.playing import SPEC, Play, WorkBellFake, epoch, finished
from tests.api.reading import epochs_of, reading, seqs_of
from tests.servers import a_postgres, a_redis

REDIS_DATABASE = 11


class Replicas(NamedTuple):
    """Two replicas, and what a worker in another process would do."""

    one: httpx.Client
    two: httpx.Client
    play: Play


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    folder: Path = tmp_path_factory.mktemp("replicas")
    with a_postgres() as database, a_redis(REDIS_DATABASE) as broker, ExitStack() as stack:
        schema.upgrade(database)
        settings = Settings(database_url=database, artifacts=folder)

        def bell() -> RedisWatchBell:
            return stack.enter_context(closing(RedisWatchBell(broker)))

        def replica() -> httpx.Client:
            store = stack.enter_context(closing(Store.open(database, settings=settings)))
            app = create_app(store=store, watch_bell=bell(), work_bell=WorkBellFake(), settings=settings)
            server = stack.enter_context(Server(app, "127.0.0.1", 0))
            return stack.enter_context(httpx.Client(base_url=server.url, timeout=20, trust_env=False))

        worker = stack.enter_context(closing(Store.open(database, settings=settings)))
        yield Replicas(replica(), replica(), Play(worker, bell()))


def test_what_one_replica_and_a_worker_do_the_other_one_tells(replicas: Replicas) -> None:
    with reading(replicas.two) as reader:
        reader.until("reset")
        made = replicas.one.post("/v1/jobs", json=SPEC).json()
        reader.until("job", job=made["id"], status="queued")
        replicas.one.post(f"/v1/jobs/{made['id']}/cancel")
        reader.until("job", job=made["id"], status="cancelled")
        running = replicas.play.running()
        replicas.play.tell(running, epoch(1))
        assert reader.until("job", job=running.id, status="running")["data"]["attempt"] == 1
        replicas.one.delete(f"/v1/jobs/{made['id']}")
        reader.until("deleted", job=made["id"])


def test_named_jobs_are_followed_from_replica_to_replica(replicas: Replicas) -> None:
    jobs = [replicas.play.running(), replicas.play.running()]
    seen: list[dict[str, Any]] = []
    cursor = None
    for number in range(1, 7):
        at = replicas.two if number % 2 else replicas.one
        with reading(at, *jobs, after=cursor) as reader:
            if cursor is None:
                reader.until("reset")
            for job in jobs:
                replicas.play.tell(job, epoch(number))
            reader.until("epoch", job=jobs[number % 2].id, epoch=number)
        seen, cursor = seen + reader.seen, reader.cursor
    for job in jobs:
        replicas.play.tell(job, finished())
    with reading(replicas.one, *jobs, after=cursor) as reader:
        seen += reader.to_the_end()
    for job in jobs:
        assert epochs_of(seen, job) == list(range(1, 7))
        assert seqs_of(seen, job) == list(range(job.version + 1, replicas.play.store.job(job.id).version + 1))


def test_a_ring_of_another_service_on_the_same_redis_tells_nothing(replicas: Replicas) -> None:
    with reading(replicas.one) as reader:
        reader.until("reset")
        replicas.play.bell.ring(f"job_{'0' * 32}")
        replicas.play.bell.ring((job := replicas.play.queued()).id)
        reader.until("job", job=job.id)
    assert not [one for one in reader.seen if one["type"] == "deleted"]


def test_the_cursor_of_one_replica_is_a_reset_at_the_other(replicas: Replicas) -> None:
    with reading(replicas.one) as reader:
        reader.until("reset")
    with reading(replicas.two, after=reader.cursor) as reader:
        reader.until("reset")
