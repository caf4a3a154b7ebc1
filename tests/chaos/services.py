"""The two doors to one service, each with real processes that a test may harm, and with what a client asks of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.processes import HOUSE, environment, free_port, wait_until
from tests.chaos import family

ENDED = frozenset({"succeeded", "failed", "cancelled"})
STOPPED_WITHIN_S = 30.0
AWAY_FOR_S = 120.0
"""How long a client goes on asking a service that does not answer."""


@dataclass
class Service:
    """One process of a service, and those that it started: they carry its mark."""

    name: str
    process: subprocess.Popen[bytes]
    mark: str

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def trainers(self) -> list[int]:
        """Its children at work."""
        return family.trainers(self.mark)

    def kill(self, *, group: bool) -> None:
        """SIGKILL, to it alone or to its whole process group."""
        if group:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(timeout=STOPPED_WITHIN_S)

    def tree(self) -> list[int]:
        """It and every process it led to."""
        return [each.pid for each in family.family(self.mark)]


@dataclass
class Door(ABC):
    """A running service: where it answers, its processes, and what was ever started in it."""

    folder: Path
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    services: dict[str, Service] = field(default_factory=dict)
    gone: list[Service] = field(default_factory=list)
    """Processes that were killed: nothing of theirs may live on."""
    settled: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The jobs that were seen at their end: they must never change."""
    told: set[str] = field(default_factory=set)
    """The ids of the jobs that anybody was told of."""
    tended: bool = False
    """Whether what dies is brought back while a client waits."""

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0)

    @property
    @abstractmethod
    def kind(self) -> str:
        """Which door."""

    @property
    @abstractmethod
    def api(self) -> Service:
        """The process that answers."""

    @property
    @abstractmethod
    def workers(self) -> list[Service]:
        """The processes that train."""

    @abstractmethod
    def start(self, *missing: str, **env: str) -> None:
        """Start what is not there (or only `missing`), and wait until a POST is durable."""

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def stop(self) -> None:
        for service in self.services.values():
            service.process.terminate()
        for service in self.services.values():
            service.process.wait(timeout=STOPPED_WITHIN_S)
        self.gone += self.services.values()
        self.services.clear()
        self.http.close()

    def tend(self) -> None:
        """Bring back what has died, as whoever watches over a service does."""
        for service in [service for service in self.services.values() if not service.alive]:
            self.bring_back(service)

    @contextmanager
    def being_tended(self) -> Iterator[None]:
        """Bring back what dies before a client's next request."""
        self.tended = True
        try:
            yield
        finally:
            self.tended = False

    def bring_back(self, victim: Service) -> None:
        """Start a process again that died, unless somebody who waited for it did so meanwhile."""
        if self.services.get(victim.name) is victim:
            self.lay_down(victim)
            self.start(victim.name)

    def lay_down(self, victim: Service) -> None:
        """Count a process that died among those of which nothing may live on."""
        self.gone.append(victim)
        del self.services[victim.name]

    def spawn(self, name: str, *command: str, **env: str) -> Service:
        """Start a process in a group of its own; what it prints is in `<name>.log`."""
        mark = uuid.uuid4().hex
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=environment({**self.settings, family.MARK: mark, **env}),
                cwd=HOUSE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.services[name] = Service(name, process, mark)
        return self.services[name]

    def trainers(self) -> list[int]:
        return [pid for worker in self.workers for pid in worker.trainers()]

    def left_behind(self) -> list[int]:
        """The processes at work now, and what is left of services that were killed."""
        return [*self.trainers(), *(pid for service in self.gone for pid in service.tree())]

    def wait_ready(self) -> None:
        wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        if self.tended and self.api.process.poll() == -signal.SIGKILL:
            self.bring_back(self.api)  # a job that waited for it led it to the next armed failpoint
        assert self.api.alive, (self.folder / f"{self.api.name}.log").read_text()[-3000:]
        with suppress(httpx.TransportError):
            return self.http.get("/readyz").status_code == httpx.codes.OK
        return False

    # what a client does; one that finds nobody, or a service that is not ready, asks again

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, once there is one that is not a 503."""
        deadline = time.monotonic() + AWAY_FOR_S
        while True:
            if self.tended:
                self.tend()  # a client that only waits would never notice that every worker has died
            with suppress(httpx.TransportError):
                answer = self.http.request(method, path, **more)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer
            assert time.monotonic() < deadline, f"{method} {path} found nobody for {AWAY_FOR_S} s"
            time.sleep(0.05)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return dict(self.ask("GET", path, params=params).raise_for_status().json())

    def make(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """POST for a new job, however often it takes: a key of its own keeps it from becoming two."""
        answer = self.ask("POST", path, json=dict(body), headers={"Idempotency-Key": uuid.uuid4().hex})
        if answer.status_code == httpx.codes.ACCEPTED:
            self.told.add(str(answer.json()["id"]))
        return answer

    def submit(self, spec: Mapping[str, Any]) -> str:
        """Queue a job."""
        answer = self.make("/v1/jobs", spec)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/v1/jobs/{job_id}")

    def strangers(self) -> list[str]:
        """The jobs that exist although nobody was told of them."""
        found: list[str] = []
        after: str | None = None
        while True:
            page = self.get("/v1/jobs", limit=100, **({"after": after} if after else {}))
            found += [job["id"] for job in page["data"] if job["id"] not in self.told]
            after = page["next"]
            if not page["has_more"]:
                return found

    def all_of(self, path: str) -> list[dict[str, Any]]:
        """Every row of a list that is read by `after`."""
        rows: list[dict[str, Any]] = []
        while True:
            last = (rows[-1].get("seq") or rows[-1]["epoch"]) if rows else 0
            page = self.get(path, after=last)
            rows += page["data"]
            if not page["has_more"]:
                return rows

    def wait_ended(self, job_ids: list[str], *, within_s: float) -> None:
        """Return once every job has ended, or one has not for `within_s` behind the one before: the checks find it.

        However many wait, the slots see them to their ends one after the other.
        """
        for job_id in job_ids:
            deadline = time.monotonic() + within_s
            while self.job(job_id)["status"] not in ENDED:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.05)
