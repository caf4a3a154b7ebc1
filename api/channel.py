"""A job that someone watches: how far its log was told, and to whom."""

from __future__ import annotations

import logging

from api.inbox import Inbox
from api.watching import Told, Watcher, progress_sse
from core.job import Event, Progress

log = logging.getLogger("trainwire.api")


class Channel:
    """A job that someone watches: how far its log was told, and to whom."""

    def __init__(self, job_id: str, *, told: int) -> None:
        self.job_id = job_id
        self.told = told
        self.progress: Progress | None = None
        self.watchers: set[Watcher] = set()
        self.inboxes: set[Inbox] = set()
        self.reading = False
        self.again = False

    @property
    def watched(self) -> bool:
        """Whether anybody is told of it."""
        return bool(self.watchers or self.inboxes)

    def take(self, events: list[Event]) -> None:
        """Tell every watcher the events that are new."""
        fresh = [Told.of(event) for event in events if event.seq > self.told]
        if not fresh:
            return
        self.told = fresh[-1].seq
        for inbox in self.inboxes:
            inbox.tell(fresh)
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
