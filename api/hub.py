"""One hub per API process: each ring costs one read of a job's log, however many watch it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from fastapi.concurrency import run_in_threadpool

from api.board import Board
from api.channel import Channel
from api.inbox import Inbox
from api.watching import Watcher
from core.bell import MISSED, WatchBell
from core.errors import Unavailable
from core.job import Event
from core.store import Pulse, Store

log = logging.getLogger("trainwire.api")

POLL_S = 1.0
"""How late an event may be whose ring was lost."""
PAGE = 1000


class Hub:
    """Listens to the watch bell and tells watchers what the database has; open it on the loop that serves."""

    def __init__(self, store: Store, bell: WatchBell, *, poll_s: float = POLL_S) -> None:
        self.board = Board(store)
        self._store = store
        self._bell = bell
        self._poll_s = poll_s
        self._channels: dict[str, Channel] = {}
        self._rung: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether the hub takes watchers."""
        return self._loop is not None

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return sum(len(channel.watchers) for channel in self._channels.values()) + len(self.board.inboxes)

    async def start(self) -> None:
        """Listen to the bell and poll, on this event loop."""
        self._loop = asyncio.get_running_loop()
        self._leave = self._bell.listen(self._heard)
        self._start(self._poll())
        self._start(self.board.run())

    def close(self) -> None:
        """End every watch at once; must run on the hub's loop; repeatable."""
        if self._leave is not None:
            self._leave()
        self._loop = self._leave = None
        for task in self._tasks:
            task.cancel()
        for channel in self._channels.values():
            channel.end()
        self.board.close()

    def close_soon(self) -> None:
        """Close from any thread or signal handler."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(self.close)

    @contextmanager
    def watch(self, job_id: str, *, told: int) -> Iterator[Watcher]:
        """Watch a job whose log the caller knows up to `told`; raises Unavailable when closed.

        Watch first, then read the database, then take news: so nothing slips between.
        """
        self.check_open()
        watcher = Watcher(job_id)
        with self._channel(job_id, told=told) as channel:
            channel.watchers.add(watcher)
            try:
                yield watcher
            finally:
                channel.watchers.discard(watcher)

    @contextmanager
    def watch_many(self, inbox: Inbox, told: Mapping[str, int]) -> Iterator[None]:
        """Let an inbox have what changes of all jobs, or of its own, and the events of those of which `told` is known.

        As with `watch`: first this, then the database, then the mail. Raises Unavailable when closed.
        """
        self.check_open()
        with ExitStack() as stack:
            stack.enter_context(self.board.watch(inbox))
            for job_id, seq in told.items():
                channel = stack.enter_context(self._channel(job_id, told=seq))
                channel.inboxes.add(inbox)
                stack.callback(channel.inboxes.discard, inbox)
            yield

    def check_open(self) -> None:
        """Raise Unavailable when no watch can begin any more."""
        if not self.open:
            raise Unavailable("The service is stopping; ask again in a moment.")

    @contextmanager
    def _channel(self, job_id: str, *, told: int) -> Iterator[Channel]:
        channel = self._channels.setdefault(job_id, Channel(job_id, told=told))
        try:
            yield channel
        finally:
            if not channel.watched and self._channels.get(job_id) is channel:
                del self._channels[job_id]

    def _heard(self, job_id: str) -> None:
        """Called in the ringer's thread: note the job once, and look at it on the loop."""
        self.board.heard(job_id)
        loop = self._loop
        if loop is None or job_id in self._rung or (job_id not in self._channels and job_id != MISSED):
            return
        self._rung.add(job_id)
        try:
            loop.call_soon_threadsafe(self._look, job_id)
        except RuntimeError:
            self._rung.discard(job_id)

    def _look(self, job_id: str) -> None:
        self._rung.discard(job_id)
        if job_id == MISSED and self.open:
            self._start(self._poll_once())
        channel = self._channels.get(job_id)
        if channel is None or not self.open:
            return
        if channel.reading:
            channel.again = True
        elif self._store.in_place:
            self._tell(channel, self._read(channel))
        else:
            channel.reading = True
            self._start(self._look_in_thread(channel))

    async def _look_in_thread(self, channel: Channel) -> None:
        try:
            self._tell(channel, await run_in_threadpool(self._read, channel))
        finally:
            channel.reading = False
        if channel.again:
            channel.again = False
            self._look(channel.job_id)

    def _read(self, channel: Channel) -> list[Event] | Pulse | None:
        """What is new: events, or when there are none, how far the run is; None when the job was deleted."""
        try:
            events = self._store.events(channel.job_id, after=channel.told, limit=PAGE)
            return events or self._store.pulse([channel.job_id]).get(channel.job_id)
        except Exception:
            log.warning("could not read job %s; the next poll will", channel.job_id, exc_info=True)
            return []

    def _tell(self, channel: Channel, found: list[Event] | Pulse | None) -> None:
        if found is None:
            channel.end()
        elif isinstance(found, Pulse):
            channel.show(found.progress)
        elif found:
            channel.take(found)
            if len(found) == PAGE and self._loop is not None:
                self._loop.call_soon(self._look, channel.job_id)

    async def _poll(self) -> None:
        """Look at every watched job now and then, so that a lost ring costs at most that."""
        while True:
            await asyncio.sleep(self._poll_s)
            await self._poll_once()

    async def _poll_once(self) -> None:
        try:
            await self.board.poll()
            watched = tuple(self._channels)
            pulses = await run_in_threadpool(self._store.pulse, watched) if watched else {}
        except Exception:
            log.warning("could not poll; the next poll will", exc_info=True)
            return
        for job_id in watched:
            self._compare(job_id, pulses.get(job_id))

    def _compare(self, job_id: str, pulse: Pulse | None) -> None:
        channel = self._channels.get(job_id)
        if channel is None:
            return
        if pulse is None or pulse.version > channel.told or pulse.progress not in (None, channel.progress):
            self._look(job_id)
            if channel.inboxes:
                self.board.heard(job_id)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
