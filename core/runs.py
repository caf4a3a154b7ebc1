"""The runs alive in one process: each a claim with its child, seen to by one thread and stopped by others."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol

from core.job import Claim, Status


class Killable(Protocol):
    """A training process, as one who stops it knows it."""

    def kill(self) -> None:
        """End it and the processes it started, at once; from any thread, also when it is gone."""


class Stop(StrEnum):
    """Why a run is ended from outside."""

    CANCELLED = "cancelled"
    DRAINED = "drained"
    LOST = "lost"


class Run:
    """A claim and its child: one thread sees it to its end, others may stop it."""

    def __init__(self, claim: Claim, *, slot: int = 0) -> None:
        self.claim = claim
        self.slot = slot
        self._lock = threading.Lock()
        self._stopped: Stop | None = None
        self._stopping = threading.Event()
        self._child: Killable | None = None

    @property
    def stopped(self) -> Stop | None:
        """Why it was stopped; None while it goes on."""
        return self._stopped

    def attach(self, child: Killable) -> None:
        """Give the run its process, which is killed at once if the run was stopped meanwhile."""
        with self._lock:
            self._child = child
            stopped = self._stopped
        if stopped:
            child.kill()

    def stop(self, why: Stop) -> None:
        """Kill the child; the first reason stands, but a lost claim is lost."""
        with self._lock:
            self._stopped = why if why is Stop.LOST else self._stopped or why
            child = self._child
        self._stopping.set()
        if child is not None:
            child.kill()

    def wait_stopped(self, timeout: float) -> None:
        """Wait until it is stopped, at most `timeout` seconds."""
        self._stopping.wait(timeout)


class Runs:
    """The runs of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._closed = False

    def add(self, run: Run) -> None:
        """Enter a run; it is stopped at once when the process is draining."""
        with self._lock:
            self._runs[run.claim.job_id] = run
            closed = self._closed
        if closed:
            run.stop(Stop.DRAINED)

    def remove(self, run: Run) -> None:
        """Take a run out."""
        with self._lock:
            if self._runs.get(run.claim.job_id) is run:
                del self._runs[run.claim.job_id]

    def all(self) -> tuple[Run, ...]:
        """The runs of this moment."""
        with self._lock:
            return tuple(self._runs.values())

    def claims(self) -> tuple[Claim, ...]:
        """The claims to keep alive."""
        return tuple(run.claim for run in self.all() if run.stopped is not Stop.LOST)

    def close(self) -> None:
        """Stop every run, and those still to come: the process drains."""
        with self._lock:
            self._closed = True
        for run in self.all():
            run.stop(Stop.DRAINED)


def stop_what_ended(runs: Collection[Run], held: Mapping[str, tuple[int, Status]]) -> None:
    """Stop those of `runs` (known before `held` was read) that are to be cancelled or that another holds."""
    for run in runs:
        attempt, status = held.get(run.claim.job_id, (0, Status.QUEUED))
        if attempt != run.claim.attempt:
            run.stop(Stop.LOST)
        elif status is Status.CANCELLING:
            run.stop(Stop.CANCELLED)
