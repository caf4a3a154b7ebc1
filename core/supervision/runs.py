"""The runs alive in one process: each a claim with its child, seen to by one thread and stopped by others."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from core.events import RunEvent
from core.job import Claim
from core.supervision.stillness import Stillness


class Stoppable(Protocol):
    """A training process, as one who stops it knows it; every call returns at once, also when it is gone."""

    def kill(self) -> None:
        """End it and the processes it started."""

    def ask_stop(self) -> None:
        """Ask it to keep a checkpoint at its next step and end."""

    def ping(self) -> None:
        """Tell it that its supervisor lives."""


class Stop(StrEnum):
    """Why a run is ended from outside."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    DRAINED = "drained"
    DEADLINE = "deadline"
    CUT_OFF = "cut off"
    FORCED = "forced"
    STALLED = "stalled"
    BROKEN = "broken"
    LOST = "lost"

    @property
    def kills(self) -> bool:
        """Whether the run may not keep a checkpoint first."""
        return self in _KILLING


_KILLING = frozenset({Stop.FORCED, Stop.STALLED, Stop.BROKEN, Stop.LOST})


class Run:
    """A claim and its child: one thread sees it to its end, others may stop it."""

    def __init__(self, claim: Claim, *, slots: Sequence[int] = (0,)) -> None:
        self.claim = claim
        self.slots = tuple(slots)
        self.stillness = Stillness()
        self.leaving = threading.Event()
        """Set when nobody may wait for the database any more."""
        self._lock = threading.Lock()
        self._stopped: Stop | None = None
        self._stopping = threading.Event()
        self._asked_at: float | None = None
        self._child: Stoppable | None = None
        self._began = self._pinged = time.monotonic()
        self._silence_s = 0.0
        self._skipped_s = 0.0

    @property
    def stopped(self) -> Stop | None:
        """Why it was stopped; None while it goes on."""
        return self._stopped

    def attach(self, child: Stoppable) -> None:
        """Give the run its process, which is killed at once if the run was stopped meanwhile."""
        with self._lock:
            self._child = child
            self._pinged = time.monotonic()
            stopped = self._stopped
        if stopped:
            child.kill()

    def stop(self, why: Stop) -> None:
        """Ask the child to stop, or kill it where `why` says so or it has nothing to keep yet.

        The first reason stands, but a lost claim is lost.
        """
        with self._lock:
            self._stopped = why if why is Stop.LOST else self._stopped or why
            self._asked_at = self._asked_at or time.monotonic()
            child = self._child
        if why is Stop.LOST:
            self.leaving.set()
        self._stopping.set()
        if child is None:
            return
        if why.kills or not self.stillness.begun:
            child.kill()
        else:
            child.ask_stop()

    def leave(self) -> None:
        """Kill the child, and wait for the database no more."""
        self.leaving.set()
        if self._child is not None:
            self._child.kill()

    def kill_if_late(self, grace_s: float) -> None:
        """Kill the child that was asked to stop longer than `grace_s` ago."""
        if self._child is not None and self._asked_at is not None and time.monotonic() - self._asked_at > grace_s:
            self._child.kill()

    def wait_stopped(self, timeout: float) -> None:
        """Wait until it is stopped, at most `timeout` seconds."""
        self._stopping.wait(timeout)

    def hear(self, events: Sequence[RunEvent]) -> None:
        """Note what the child told."""
        self.stillness.hear(events)

    def ping(self) -> None:
        """Tell the child that we live."""
        with self._lock:
            now = time.monotonic()
            self._silence_s = max(self._silence_s, now - self._pinged)
            self._pinged = now
            child = self._child
        if child is not None:
            child.ping()

    def was_silent(self, lease_s: float) -> bool:
        """Whether the child was ever left without a ping for so long that it ends itself."""
        return max(self._silence_s, time.monotonic() - self._pinged) > lease_s

    def run_s(self) -> float:
        """The seconds that the job has run by now, earlier attempts included."""
        return self.claim.run_s + time.monotonic() - self._began - self._skipped_s

    def skip(self, seconds: float) -> None:
        """Do not count so much: this process stood still, and the training ended soon behind that."""
        self._skipped_s += min(seconds, time.monotonic() - self._began - self._skipped_s)


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

    def held(self) -> list[tuple[Claim, float]]:
        """The claims to keep alive, each with the seconds that its job has run."""
        return [(run.claim, run.run_s()) for run in self.all() if run.stopped is not Stop.LOST]

    def close(self) -> None:
        """Ask every run to stop, and those still to come: the process drains."""
        with self._lock:
            self._closed = True
        for run in self.all():
            run.stop(Stop.DRAINED)

    def leave(self) -> None:
        """End what is still there, with or without the database."""
        for run in self.all():
            run.leave()
