"""The board of all jobs: who rang is read once for everybody, a few times a second at most, however many there are."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice

from fastapi.concurrency import run_in_threadpool

from api.changes import Change, Found, look_at
from api.inbox import Inbox
from api.journal import MOST, Journal
from core.bell import MISSED
from core.store import Pulse, Store
from core.views import ChangeType

log = logging.getLogger("trainwire.api")

PAUSE_S = 0.25
"""Between two looks: so often at most a job is told anew."""
REST = 4
"""A look that took long is followed by so many times its length of rest."""
AT_ONCE = 200
"""Jobs a look: some 40 ms."""
IN_PLACE = 8
"""So few are read on the event loop where the store is that cheap."""
FAILED_S = 1.0


class Board:
    """Takes rings from any thread and tells every inbox the newest state of each job that rang; opened by the hub."""

    def __init__(self, store: Store, *, pause_s: float = PAUSE_S) -> None:
        self.journal = Journal()
        self.inboxes: set[Inbox] = set()
        self._store = store
        self._pause_s = pause_s
        self._rung: dict[str, None] = {}
        self._missed = False
        self._lock = threading.Lock()
        self._told: dict[str, Pulse] = {}
        self._held: Collection[str] = ()
        self._newest: str | None = None
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def heard(self, job_id: str) -> None:
        """A job rang, in whichever thread: note it, and look soon if anybody watches."""
        with self._lock:
            self._note_rung(job_id)
        loop = self._loop
        if self.inboxes and loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(self._wake.set)

    @contextmanager
    def watch(self, inbox: Inbox) -> Iterator[None]:
        """Tell the inbox from here on; what it knew before is in the journal."""
        if not self.inboxes:
            for job_id in self._take(None):
                self.journal.note(job_id)
        self.inboxes.add(inbox)
        if self._rung:  # since then, when nobody was there to look for
            self._wake.set()
        try:
            yield
        finally:
            self.inboxes.discard(inbox)
            if not self.inboxes:
                self._told = {}

    async def run(self) -> None:
        """Look whenever somebody rang, as long as the task lives."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        while True:
            await self._wake.wait()
            begun = loop.time()
            pause_s = self._pause_s if await self._look() else FAILED_S
            await asyncio.sleep(max(pause_s, REST * (loop.time() - begun)))

    def close(self) -> None:
        """End every watch; on the hub's loop."""
        self._loop = None
        for inbox in tuple(self.inboxes):
            inbox.end()

    async def poll(self) -> None:
        """Look for changes whose ring was lost: among what workers hold and what is new, whatever the history."""
        if all(inbox.only is not None for inbox in self.inboxes):
            self._held, self._newest = (), None
            return
        moving = await run_in_threadpool(self._store.moving, after=self._newest)
        moved = [job_id for job_id, pulse in moving.held.items() if self._told.get(job_id) != pulse]
        left = [job_id for job_id in self._held if job_id not in moving.held]
        added = [job_id for job_id in moving.added if job_id not in self._told]
        self._held, self._newest = tuple(moving.held), moving.newest
        for job_id in (*moved, *left, *added):
            self.heard(job_id)

    async def read(self, ids: Sequence[str]) -> list[Change]:
        """How these jobs stand, or that they are no more."""
        return (await self._find(ids, known={})).changes

    def _note_rung(self, job_id: str) -> None:
        if job_id != MISSED:
            self._rung[job_id] = None
        if job_id == MISSED or len(self._rung) > MOST:
            self._missed = True
            self._rung.clear()

    def _take(self, most: int | None) -> list[str]:
        """The jobs that rang, the first ones first; where any may have changed, everybody is told to read again."""
        with self._lock:
            missed, self._missed = self._missed, False
            taken = list(islice(self._rung, most))
            for job_id in taken:
                del self._rung[job_id]
        if missed:
            self._reset()
        return taken

    def _reset(self) -> None:
        position = self.journal.forget()
        for inbox in self.inboxes:
            if inbox.only is None:
                inbox.reset(position)
        for job_id in {job_id for inbox in self.inboxes for job_id in inbox.only or ()}:
            self.heard(job_id)

    async def _look(self) -> bool:
        """Read who rang and tell it; False when the database is away, and they are kept for later."""
        self._wake.clear()
        ids = self._take(AT_ONCE)
        wanted = [job_id for job_id in ids if any(inbox.wants(job_id) for inbox in self.inboxes)]
        try:
            found = await self._find(wanted, known=self._told)
        except Exception:
            log.warning("could not read the jobs that changed; trying again", exc_info=True)
            for job_id in ids:
                self.heard(job_id)
            return False
        for job_id in set(ids).difference(wanted):
            self._told.pop(job_id, None)
            self.journal.note(job_id)
        for change in found.changes:
            self._tell(change, found.pulses)
        if len(ids) == AT_ONCE:
            self._wake.set()
        return True

    async def _find(self, ids: Sequence[str], *, known: Mapping[str, Pulse]) -> Found:
        if self._store.in_place and len(ids) <= IN_PLACE:
            return look_at(self._store, ids, known=known)
        return await run_in_threadpool(look_at, self._store, ids, known=dict(known))

    def _tell(self, change: Change, pulses: Mapping[str, Pulse]) -> None:
        is_progress = change.type is ChangeType.PROGRESS
        position = self.journal.position if is_progress else self.journal.note(change.job_id)
        if change.final:
            self._told.pop(change.job_id, None)
        elif self.inboxes:
            self._told[change.job_id] = pulses[change.job_id]
        for inbox in self.inboxes:
            if inbox.wants(change.job_id):
                inbox.put(position, change)
