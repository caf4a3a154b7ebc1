"""Bells say "look again" and carry no truth: a lost ring costs at most a poll interval."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

KEY_PREFIX = "trainwire:"
"""Before every key of ours in Redis; who sends a message and who takes it must use the same."""

MISSED = "*"
"""Rung in place of a job id where rings may have been missed: any job may have changed."""

Heard = Callable[[str], None]
"""Called with a job id or `MISSED`, in the ringer's or listener's thread; must return at once."""


class WatchBell(Protocol):
    """Rung when a job has something new to read."""

    def ring(self, job_id: str) -> None:
        """Tell every listener, in every process, that this job changed."""

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Call `heard` at each ring until the returned function is called."""


class WorkBell(Protocol):
    """Rung when a job waits for a worker."""

    def ring(self, queue: str | None) -> None:
        """Tell the workers of `queue` (None: all) that there is work."""


class LocalWatchBell:
    """The watchers' bell within one process."""

    def __init__(self) -> None:
        self._listeners: tuple[Heard, ...] = ()

    def ring(self, job_id: str) -> None:
        """Call every listener in this thread."""
        for heard in self._listeners:
            heard(job_id)

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Add a listener; the returned function takes it away."""
        self._listeners = (*self._listeners, heard)

        def leave() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not heard)

        return leave


class LocalWorkBell:
    """The workers' bell within one process: slot threads wait on it (0.06 ms to wake)."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it rang; give it to `wait` so that a ring in between is not lost."""
        return self._count

    def ring(self, queue: str | None = None) -> None:  # noqa: ARG002 - one process has one set of slots
        """Wake one waiting slot, which looks for any job it can run."""
        with self._rung:
            self._count += 1
            self._rung.notify()

    def wait(self, seen: int, *, timeout: float) -> None:
        """Return when it has rung since `count` was `seen`, or after `timeout` seconds."""
        with self._rung:
            self._rung.wait_for(lambda: self._count != seen, timeout)

    def wake_all(self) -> None:
        """Wake every waiting slot: work for many, or the end of it."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()
