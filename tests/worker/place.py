"""A place to run jobs in the tests: a database, its bells, and nodes that share one launcher."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.bell import LocalWatchBell, LocalWorkBell
from core.job import EventType, Job
from core.settings import Settings
from core.spec import JobSpec, parse_spec
from core.store import Store
from worker.launcher import Launcher
from worker.node import Node

WITHIN_S = 60.0
GONE_WITHIN_S = 10.0
"""Five times the line: it only tells soon from never."""


class KeptLauncher(Launcher):
    """One launcher for many nodes: they neither start nor close it."""

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    def open_it(self) -> None:
        super().start()
        assert self.wait_warm(WITHIN_S)

    def close_it(self) -> None:
        super().close()


class Place:
    """Where jobs are submitted, run and looked at."""

    def __init__(self, store: Store, settings: Settings, launcher: Launcher) -> None:
        self.store = store
        self.settings = settings
        self.launcher = launcher
        self.watch_bell = LocalWatchBell()
        self.work_bell = LocalWorkBell()
        self.nodes: list[Node] = []
        self._rung = threading.Condition()
        self.watch_bell.listen(self._hear)

    def node(self) -> Node:
        made = Node(
            store=self.store,
            watch_bell=self.watch_bell,
            settings=self.settings,
            work_bell=self.work_bell,
            launcher=self.launcher,
        )
        self.nodes.append(made)
        made.start()
        made.devices(WITHIN_S)
        return made

    def submit(self, act: str | None = None, **given: Any) -> Job:
        job = self.store.add(acting(act, **given))
        self.work_bell.ring()
        return job

    def ended(self, job: Job) -> Job:
        return self.when(job, lambda now: now.status.ended)

    def when(self, job: Job, holds: Callable[[Job], bool]) -> Job:
        with self._rung:
            assert self._rung.wait_for(lambda: holds(self.store.job(job.id)), WITHIN_S), self.store.job(job.id)
        return self.store.job(job.id)

    def printed(self, job: Job) -> list[str]:
        return [json.loads(event.data)["line"] for event in self.store.events(job.id, types={EventType.LOG})]

    def pids(self, job: Job) -> list[int]:
        """The processes of a job that hangs, once it has said so."""
        self.when(job, lambda _: any(line.startswith("pids") for line in self.printed(job)))
        line = next(line for line in reversed(self.printed(job)) if line.startswith("pids"))
        return [int(word) for word in line.split()[1:]]

    def tidied(self, job: Job) -> None:
        """Wait until nothing is left of what the job's attempts wrote."""
        self.when(job, lambda _: not (self.settings.artifacts / job.id).exists())

    def _hear(self, _: str) -> None:
        with self._rung:
            self._rung.notify_all()


def acting(act: str | None, *, epochs: int = 2, by: str = "", num_workers: int = 0, **given: Any) -> JobSpec:
    """A spec whose child acts as `act` says; without, it trains."""
    labels = {"act": act, "by": by} if act else {}
    loader = {"num_workers": num_workers}
    spec = {"dataset": "iris", "model": "linear", "epochs": epochs, "labels": labels, "loader": loader}
    return parse_spec({**spec, **given})


def parent_of(pid: int) -> int:
    """The process that started it: for a child, the forkserver."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def gone(pids: list[int]) -> bool:
    """Whether all processes are gone within two seconds, the time that is promised."""
    return happens(lambda: not any(map(is_running, pids)), within_s=GONE_WITHIN_S)


def happens(holds: Callable[[], bool], *, within_s: float = WITHIN_S) -> bool:
    """Whether something comes true that no bell tells of."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
