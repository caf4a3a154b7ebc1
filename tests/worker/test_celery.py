"""The distributed door with real processes: a Celery worker between Redis and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kombu import Connection

from api.bells import CeleryWorkBell
from core import artifacts
from core.job import Job, Reason, Status
from core.redis_bell import RedisWatchBell
from core.settings import Settings
from core.store import Store
from core.store.schema import upgrade
from tests.servers import a_postgres, a_redis
from tests.worker.place import WITHIN_S, acting, gone, happens, is_running
from worker.app import app
from worker.tasks import look


class Stack:
    """A database, a broker, and what a client of both would do."""

    def __init__(self, database_url: str, broker_url: str, folder: Path) -> None:
        self.settings = Settings(database_url=database_url, broker_url=broker_url, artifacts=folder / "artifacts")
        self.folder = folder
        artifacts.mark(self.settings.artifacts)
        upgrade(database_url)
        self.store = Store.open(database_url, settings=self.settings)
        self.bell = RedisWatchBell(broker_url)
        self._rung = threading.Condition()
        self.bell.listen(self._hear)
        self.work_bell = CeleryWorkBell(broker_url, served=lambda: {"cpu"})

    def close(self) -> None:
        self.work_bell.close()
        self.bell.close()
        self.store.close()

    @contextmanager
    def worker(self, *options: str, pool: str = "threads", **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """The documented start line."""
        command = ["celery", "-A", "worker.app", "worker", "-P", pool, "-Q", "cpu", "-l", "WARNING", *options]
        settings = {
            "TRAINWIRE_DATABASE_URL": self.settings.database_url,
            "TRAINWIRE_BROKER_URL": str(self.settings.broker_url),
            "TRAINWIRE_ARTIFACTS": str(self.settings.artifacts),
            "TRAINWIRE_HEARTBEAT_S": "0.3",
            "TRAINWIRE_POLL_S": "60",
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], env={**os.environ, **settings, **env}, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def submit(self, *, ring: bool = True, epochs: int = 2) -> Job:
        job = self.store.add(acting(None, epochs=epochs))
        if ring:
            self.work_bell.ring(job.queue)
        return job

    def when(self, job: Job, holds: Callable[[Job], bool]) -> Job:
        with self._rung:
            assert self._rung.wait_for(lambda: holds(self.store.job(job.id)), WITHIN_S), self.log()
        return self.store.job(job.id)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _hear(self, _: str) -> None:
        with self._rung:
            self._rung.notify_all()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with a_postgres() as database, a_redis(10) as broker, closing(Stack(database, broker, tmp_path)) as made:
        yield made


def test_the_api_rings_where_the_workers_listen() -> None:
    [listened] = [queue for queue in app.conf.task_queues if queue.name == "cpu"]
    options = app.conf.broker_transport_options
    with a_redis(10) as broker, Connection(broker, transport_options=options) as connection:
        heard = connection.SimpleQueue(listened)
        with closing(CeleryWorkBell(broker, served=lambda: {"cpu"})) as bell:
            bell.ring("cpu")
            message = heard.get(timeout=WITHIN_S)
        message.ack()
        heard.close()
    assert message.headers["task"] == look.name


def test_a_message_starts_a_job_and_sigterm_gives_it_back(stack: Stack) -> None:
    with stack.worker() as worker:
        first = stack.when(stack.submit(), lambda now: now.status.ended)
        assert (first.status, first.attempt, first.worker_device) == (Status.SUCCEEDED, 1, "cpu")
        assert "libtorch" not in Path(f"/proc/{worker.pid}/maps").read_text()
        [entry] = stack.store.workers()
        assert entry.queues == ("cpu",)

        endless = stack.submit(epochs=100_000)
        stack.when(endless, lambda now: now.latest is not None)
        below = processes_below(worker.pid)
        assert below
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN_S) == 0
        assert gone(below)
        back = stack.store.job(endless.id)
        assert (back.status, back.status_reason) == (Status.QUEUED, Reason.WORKER_DRAINED)
        assert stack.store.workers() == []
        assert stack.store.checkpoints(endless.id)[0].epoch == stack.store.epochs(endless.id)[-1].epoch


def test_a_further_signal_ends_a_worker_whose_run_does_not_stop(stack: Stack) -> None:
    with stack.worker(TRAINWIRE_GRACE_S="60") as worker:
        job = stack.submit(epochs=100_000)
        stack.when(job, lambda now: now.latest is not None)
        for child in (pid for pid in processes_below(worker.pid) if is_running(pid) and os.getpgid(pid) == pid):
            os.kill(child, signal.SIGSTOP)
        worker.send_signal(signal.SIGTERM)
        assert happens(lambda: "shutdown" in stack.log())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WITHIN_S) == 0
        assert stack.store.job(job.id).status_reason is Reason.WORKER_DRAINED


@pytest.mark.full  # the small chaos suite kills workers, and flushes the broker, all the time
def test_a_lost_message_costs_a_poll_and_a_killed_worker_a_lease(stack: Stack) -> None:
    quick = {"TRAINWIRE_POLL_S": "0.2", "TRAINWIRE_LEASE_S": "1.5", "TRAINWIRE_SWEEP_S": "0.2"}
    job = stack.submit(ring=False, epochs=100_000)
    with stack.worker("-n", "one@%h", **quick) as one, stack.worker("-n", "two@%h", **quick) as two:
        running = stack.when(job, lambda now: now.latest is not None)
        killed = one if str(running.worker).startswith("one@") else two
        below = processes_below(killed.pid)
        killed.kill()
        killed.wait()
        assert gone(below)
        again = stack.when(job, lambda now: now.attempt == 2 and now.status is Status.RUNNING)
        assert Reason.LEASE_EXPIRED in {change.reason for change in again.transitions}
        assert again.worker != running.worker
        stack.store.cancel(job.id)
        stack.when(job, lambda now: now.status is Status.CANCELLED)


@pytest.mark.parametrize(
    ("pool", "env", "words"),
    [
        ("solo", {}, "-P threads"),
        ("threads", {"TRAINWIRE_BROKER_URL": ""}, "TRAINWIRE_BROKER_URL"),
        ("threads", {"TRAINWIRE_LEASE_S": "soon"}, "TRAINWIRE_LEASE_S is 'soon'"),
        ("threads", {"TRAINWIRE_DATABASE_URL": "sqlite:////tmp/trainwire-empty.db"}, "trainwire migrate"),
        ("threads", {"TRAINWIRE_DATABASE_URL": "oracle://nowhere"}, "database URL"),
    ],
)
def test_a_worker_that_cannot_work_says_why_in_a_sentence(
    stack: Stack, pool: str, env: dict[str, str], words: str
) -> None:
    with stack.worker(pool=pool, **env) as worker:
        assert worker.wait(WITHIN_S) == 1
    assert words in stack.log()
    assert "Traceback" not in stack.log()


def processes_below(pid: int) -> list[int]:
    """Every process that it started, and those that they did."""
    children = [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in _children(task)]
    return children + [below for child in children for below in processes_below(child)]


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()
