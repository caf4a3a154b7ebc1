"""Where one who watches many jobs finds what changed: it never grows with time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from api.changes import Change
from api.watching import MOST_WAITING, Told
from core.views import ChangeType

MOST_CHANGED = 1000
"""Changed jobs that may wait for one watcher; with more it is told to read again."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What was in an inbox: events of named jobs, then the newest state of each changed job with its position."""

    events: Sequence[Told] = ()
    changes: Sequence[tuple[int, Change]] = ()
    reset: int | None = None
    """Where to go on from for who reads again: more changed than is told."""
    over: bool = False


class Inbox:
    """The board's end and the reader's end of one watch of all jobs or of those `only`; both on the event loop.

    Of each job the newest state waits, of too many jobs only the word to read again; who leaves too many events of
    named jobs is dropped.
    """

    def __init__(self, only: frozenset[str] | None = None) -> None:
        self.only = only
        self._over = False
        self._reset: int | None = None
        self._events: deque[Told] = deque()
        self._changes: dict[tuple[str, bool], tuple[int, Change]] = {}
        self._ready = asyncio.Event()

    def wants(self, job_id: str) -> bool:
        """Whether it is about this job."""
        return self.only is None or job_id in self.only

    def put(self, position: int, change: Change) -> None:
        """Replace what waits of the job; progress beside its state, which it does not tell."""
        is_progress = change.type is ChangeType.PROGRESS
        if not is_progress:
            self._changes.pop((change.job_id, True), None)
        self._changes.pop((change.job_id, is_progress), None)
        self._changes[change.job_id, is_progress] = (position, change)
        if len(self._changes) > MOST_CHANGED and self.only is None:
            self.reset(position)
        self._ready.set()

    def tell(self, events: Sequence[Told]) -> None:
        """Queue a named job's events; too many waiting, and the watch ends: it resumes by its cursor."""
        if len(self._events) + len(events) > MOST_WAITING:
            self.end()
            return
        self._events.extend(events)
        self._ready.set()

    def reset(self, position: int) -> None:
        """Any job may have changed: only the word to read again waits."""
        self._changes.clear()
        self._reset = position
        self._ready.set()

    def end(self) -> None:
        """Nothing more comes; what waits is forgotten, since the database has it."""
        self._over = True
        self._events.clear()
        self._changes.clear()
        self._ready.set()

    async def mail(self, *, within_s: float | None = None) -> Mail:
        """Wait until there is something (at most `within_s` seconds) and take all of it."""
        try:
            async with asyncio.timeout(within_s):
                await self._ready.wait()
        except TimeoutError:
            return Mail()
        mail = Mail(tuple(self._events), tuple(self._changes.values()), self._reset, self._over)
        self._events.clear()
        self._changes.clear()
        self._reset = None
        if not self._over:
            self._ready.clear()
        return mail
