"""One watcher of a job: a bounded queue that the hub fills and a stream or a long poll empties."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from core.job import Event, EventType, Progress
from core.wire import dumps, rfc3339

MOST_WAITING = 4096
"""Events that may wait for one watcher (a page of the log is 1,000); with more it is dropped."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event, made into text once for all its watchers."""

    job_id: str
    seq: int
    type: EventType
    json: str
    sse: bytes

    @classmethod
    def of(cls, event: Event) -> Told:
        """`event` as one line of JSON and as one server-sent event."""
        json = f'{{"seq":{event.seq},"type":"{event.type}","at":"{rfc3339(event.at)}","data":{event.data}}}'
        sse = f"id: {event.seq}\nevent: {event.type}\ndata: {json}\n\n".encode()
        return cls(event.job_id, event.seq, event.type, json, sse)


def progress_sse(progress: Progress) -> bytes:
    """Progress as a server-sent event; it has no id, so that a reconnect does not ask for it."""
    data = {
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "step": progress.step,
        "steps": progress.steps,
        "eta_s": progress.eta_s,
    }
    return f"event: progress\ndata: {dumps({'type': 'progress', 'data': data})}\n\n".encode()


@dataclass(frozen=True, slots=True)
class News:
    """What a watcher finds when it looks: events in order, then the latest progress, if it moved."""

    events: Sequence[Told] = ()
    progress: bytes | None = None
    over: bool = False
    """Whether nothing more will come: the watcher was dropped or the hub is closed."""


class Watcher:
    """The hub's end and the reader's end of one watch; both live on the event loop."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.dropped = False
        self._over = False
        self._events: deque[Told] = deque()
        self._progress: bytes | None = None
        self._ready = asyncio.Event()

    def tell(self, events: Sequence[Told]) -> None:
        """Queue events; progress from before them is stale. Too many waiting, and the watcher is dropped."""
        if len(self._events) + len(events) > MOST_WAITING:
            self.dropped = True
            self.end()
            return
        self._events.extend(events)
        self._progress = None
        self._ready.set()

    def show(self, progress: bytes) -> None:
        """Replace the progress that waits; the latest wins."""
        self._progress = progress
        self._ready.set()

    def end(self) -> None:
        """Nothing more comes; what waits is forgotten, since the database has it."""
        self._over = True
        self._events.clear()
        self._ready.set()

    async def news(self, *, within_s: float | None = None) -> News:
        """Wait until there is something (at most `within_s` seconds) and take all of it."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(within_s):
                    await self._ready.wait()
            except TimeoutError:
                return News()
        news = News(tuple(self._events), self._progress, self._over)
        self._events.clear()
        self._progress = None
        if not self._over:
            self._ready.clear()
        return news
