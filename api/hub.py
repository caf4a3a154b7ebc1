"""One hub per API process: each ring costs one read of a job's log, however many watch it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress

from fastapi.concurrency import run_in_threadpool

from api.watching import Told, Watcher, progress_sse
from core.bell import WatchBell
from core.errors import Unavailable
from core.job import Event, Progress
from core.store import Pulse, Store

log = logging.getLogger("trainwire.api")

POLL_S = 1.0
"""How late an event may be whose ring was lost."""
PAGE = 1000


class Channel:
    """A job that someone watches: how far its log was told, and to whom."""

    def __init__(self, job_id: str, *, told: int) -> None:
        self.job_id = job_id
        self.told = told
        self.progress: Progress | None = None
        self.watchers: set[Watcher] = set()
        self.reading = False
        self.again = False

    def take(self, events: list[Event]) -> None:
        """Tell every watcher the events that are new."""
        fresh = [Told.of(event) for event in events if event.seq > self.told]
        if not fresh:
            return
        self.told = fresh[-1].seq
        for watcher in tuple(self.watchers):
            watcher.tell(fresh)
            if watcher.dropped:
                log.info("dropped a slow watcher of %s; it resumes with its last id", self.job_id)
                self.watchers.discard(watcher)

    def end(self) -> None:
        """The job is no more: end every watch."""
        for watcher in tuple(self.watchers):
            watcher.end()

    def show(self, progress: Progress | None) -> None:
        """Tell every watcher how far the run is, if it moved."""
        if progress is None or progress == self.progress:
            return
        self.progress = progress
        text = progress_sse(progress)
        for watcher in tuple(self.watchers):
            watcher.show(text)


class Hub:
    """Listens to the watch bell and tells watchers what the database has; open it on the loop that serves."""

    def __init__(self, store: Store, bell: WatchBell, *, poll_s: float = POLL_S) -> None:
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
        return sum(len(channel.watchers) for channel in self._channels.values())

    async def start(self) -> None:
        """Listen to the bell and poll, on this event loop."""
        self._loop = asyncio.get_running_loop()
        self._leave = self._bell.listen(self._heard)
        self._start(self._poll())

    def close(self) -> None:
        """End every watch at once; must run on the hub's loop; repeatable."""
        if self._leave is not None:
            self._leave()
        self._loop = self._leave = None
        for task in self._tasks:
            task.cancel()
        for channel in self._channels.values():
            channel.end()

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
        if not self.open:
            raise Unavailable("The service is stopping; ask again in a moment.")
        channel = self._channels.setdefault(job_id, Channel(job_id, told=told))
        watcher = Watcher(job_id)
        channel.watchers.add(watcher)
        try:
            yield watcher
        finally:
            channel.watchers.discard(watcher)
            if not channel.watchers and self._channels.get(job_id) is channel:
                del self._channels[job_id]

    def _heard(self, job_id: str) -> None:
        """Called in the ringer's thread: note the job once, and look at it on the loop."""
        loop = self._loop
        if loop is None or job_id not in self._channels or job_id in self._rung:
            return
        self._rung.add(job_id)
        try:
            loop.call_soon_threadsafe(self._look, job_id)
        except RuntimeError:
            self._rung.discard(job_id)

    def _look(self, job_id: str) -> None:
        self._rung.discard(job_id)
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
            if not self._channels:
                continue
            watched = tuple(self._channels)
            try:
                pulses = await run_in_threadpool(self._store.pulse, watched)
            except Exception:
                log.warning("could not poll; the next poll will", exc_info=True)
                continue
            for job_id in watched:
                self._compare(job_id, pulses.get(job_id))

    def _compare(self, job_id: str, pulse: Pulse | None) -> None:
        channel = self._channels.get(job_id)
        if channel is None:
            return
        if pulse is None or pulse.version > channel.told or pulse.progress not in (None, channel.progress):
            self._look(job_id)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
