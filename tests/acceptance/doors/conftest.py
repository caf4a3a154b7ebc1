"""The two doors to one service, each with real processes: `trainwire up`, and API + Celery workers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import HOUSE, environment, free_port, wait_until
from tests.servers import a_postgres, a_redis
from tests.sizes import CELERY_ALWAYS

REDIS_DATABASE = 8
QUICK = {
    "TRAINWIRE_HEARTBEAT_S": "0.3",
    "TRAINWIRE_LEASE_S": "1.5",
    "TRAINWIRE_SWEEP_S": "0.5",
    "TRAINWIRE_POLL_S": "0.5",
}


class Door:
    """A running service: where it answers, and how to kill and bring back what trains in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0)
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def start(self) -> None:
        """Start every process and wait until a POST is durable."""
        raise NotImplementedError

    def kill_trainers_host(self) -> None:
        """End, by SIGKILL, the process that supervises a running job, as a crash of its machine would."""
        raise NotImplementedError

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)
        self.http.close()

    def spawn(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.processes)}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment({**QUICK, **env}), cwd=HOUSE, stdout=log, stderr=log
        )
        log.close()
        self.processes.append(process)
        return process

    def ready(self) -> None:
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    # what a client does

    def submit(self, spec: dict[str, Any]) -> str:
        answer = self.http.post("/v1/jobs", json=spec)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.http.get(f"/v1/jobs/{job_id}").raise_for_status().json())

    def ended(self, job_id: str) -> dict[str, Any]:
        wait_until(lambda: self.job(job_id)["status"] in {"succeeded", "failed", "cancelled"})
        return self.job(job_id)

    def rows(self, job_id: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"/v1/jobs/{job_id}/metrics").raise_for_status().json()["data"])

    def events(self, job_id: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"/v1/jobs/{job_id}/events").raise_for_status().json()["data"])


class EmbeddedDoor(Door):
    """`trainwire up`: one process, SQLite."""

    def start(self) -> None:
        self.processes.clear()
        self.spawn("trainwire", "up", "--port", str(self.port), "--data", str(self.folder))
        self.ready()

    def kill_trainers_host(self) -> None:
        self.processes[0].kill()
        self.processes[0].wait(timeout=30)
        self.start()


class CeleryDoor(Door):
    """An API and two Celery workers that share PostgreSQL, Redis and a folder."""

    def __init__(self, folder: Path, database_url: str, broker_url: str) -> None:
        super().__init__(folder)
        self.database_url = database_url
        self.broker_url = broker_url

    def start(self) -> None:
        env = {
            "TRAINWIRE_DATABASE_URL": self.database_url,
            "TRAINWIRE_BROKER_URL": self.broker_url,
            "TRAINWIRE_ARTIFACTS": str(self.artifacts),
        }
        assert self.spawn("trainwire", "migrate", **env).wait(timeout=60) == 0
        self.processes.clear()
        self.spawn("api", "--host", "127.0.0.1", "--port", str(self.port), **env)
        for name in ("one", "two"):
            self.spawn("celery", *f"-A worker.app worker -P threads -c 2 -Q cpu -n {name}@%h -l WARNING".split(), **env)
        self.ready()
        wait_until(lambda: len(self.http.get("/v1/workers").json()["data"]) == 2)

    def kill_trainers_host(self) -> None:
        running = self.processes[1]
        running.kill()
        running.wait(timeout=30)
        self.processes.remove(running)


@pytest.fixture(scope="session", params=CELERY_ALWAYS)
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One running service for all tests of a door."""
    yield from opened(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(params=["embedded", "celery"])
def own_door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    """A service of the test's own, to be harmed."""
    yield from opened(request.param, tmp_path)


def opened(kind: str, folder: Path) -> Iterator[Door]:
    if kind == "embedded":
        yield from running(EmbeddedDoor(folder))
        return
    with a_postgres() as database, a_redis(REDIS_DATABASE) as broker:
        yield from running(CeleryDoor(folder, database, broker))


def running(door: Door) -> Iterator[Door]:
    try:
        door.start()
        yield door
    finally:
        door.stop()
