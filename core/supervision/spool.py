"""What a run told and the database has not taken yet: in order, in memory, and beyond about a mebibyte on the disk."""

from __future__ import annotations

import logging
import pickle
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from core.events import Logged, RunEvent
from core.job import Progress

log = logging.getLogger(__name__)
MEMORY_BYTES = 1 << 20
_EVENT_BYTES = 300
"""About what an event without text takes."""


class Spool:
    """A queue of events between one who puts and one who takes; of progress in a row only the last is kept.

    Its file lies in `folder`, has no name and ends with the process. While the disk is full too, who puts waits.
    """

    def __init__(self, folder: Path, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._changed = threading.Condition()
        self._newest: list[RunEvent] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._read_to = 0
        self._written_to = 0
        self._closed = False

    def put(self, events: Sequence[RunEvent]) -> None:
        """Add events behind all others; in a closed spool they are forgotten."""
        with self._changed:
            if self._closed:
                return
            for event in events:
                self._add(event)
            self._changed.notify_all()
            if self._bytes > self._memory_bytes and not self._moved_to_disk():
                self._changed.wait_for(lambda: self._closed or self._bytes <= self._memory_bytes)

    def take(self) -> list[RunEvent] | None:
        """Wait, then the oldest of what waits, about a mebibyte at most; None once it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest or self._file)
            if self._file:
                return self._from_disk(self._file)
            taken, self._newest, self._bytes = self._newest, [], 0
            self._changed.notify_all()
            return taken or None

    def close(self) -> None:
        """Take nothing more in; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def discard(self) -> None:
        """Close it and forget what waits."""
        self.close()
        with self._changed:
            self._newest, self._bytes = [], 0
            self._drop_file()

    def _add(self, event: RunEvent) -> None:
        if isinstance(event, Progress) and self._newest and isinstance(self._newest[-1], Progress):
            self._newest[-1] = event
            return
        self._newest.append(event)
        self._bytes += sum(map(len, event.lines)) if isinstance(event, Logged) else _EVENT_BYTES

    def _moved_to_disk(self) -> bool:
        """Whether the newest events could be written behind those that wait there."""
        file = self._file
        try:
            # without a buffer, in which a full disk would leave what the next seek, a reader's too, fails to write
            file = file or tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            file.seek(self._written_to)
            _write(file, pickle.dumps(self._newest))
        except OSError as full:
            if file is not None and self._file is None:
                file.close()
            log.warning("What a run tells waits in memory, and the run with it: %s", full)
            return False
        self._file = file
        self._written_to = file.tell()
        self._newest, self._bytes = [], 0
        return True

    def _from_disk(self, file: IO[bytes]) -> list[RunEvent]:
        file.seek(self._read_to)
        events: list[RunEvent] = pickle.load(file)  # noqa: S301 - written above, into a file without a name
        self._read_to = file.tell()
        if self._read_to == self._written_to:
            self._drop_file()
        return events

    def _drop_file(self) -> None:
        if self._file:
            self._file.close()
        self._file, self._read_to, self._written_to = None, 0, 0


def _write(file: IO[bytes], data: bytes) -> None:
    """All of it: one write may take in a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
