"""What a child prints, gathered from its two pipes into a bounded number of lines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from multiprocessing.connection import Connection

from core.events import Logged
from worker.lines import Lines

_MAX_BYTES = 1 << 18
"""Read from one stream at a time; the rest waits in the pipe, and the child with it."""
ENOUGH = 500
"""Lines worth a transaction of their own."""


class Tap:
    """One output stream of a child."""

    def __init__(self, end: Connection, stream: str) -> None:
        self.end = end
        self.stream = stream
        self.open = True
        self._lines = Lines()
        os.set_blocking(end.fileno(), False)

    def read(self) -> list[str]:
        """The lines printed since."""
        lines: list[str] = []
        size = 0
        while self.open and size < _MAX_BYTES:
            try:
                data = os.read(self.end.fileno(), 1 << 16)
            except BlockingIOError:
                break
            self.open = bool(data)
            size += len(data)
            lines += self._lines.feed(data)
        return lines

    def finish(self) -> list[str]:
        """The last lines, also one without an end."""
        return [*self.read(), *self._lines.end()]


class Prints:
    """The lines of both streams, until `most` were told; what comes then is read and forgotten."""

    def __init__(self, taps: Sequence[Tap], *, most: int) -> None:
        self._taps = taps
        self._left = most
        self._waiting: dict[str, list[str]] = {}

    @property
    def sources(self) -> list[Connection]:
        """The pipes that may still bring something."""
        return [tap.end for tap in self._taps if tap.open]

    @property
    def count(self) -> int:
        """Lines gathered and not yet taken."""
        return sum(map(len, self._waiting.values()))

    def gather(self, *, last: bool = False) -> None:
        """Read what waits in the pipes; the `last` time also what has no end of line."""
        for tap in self._taps:
            lines = (tap.finish() if last else tap.read())[: self._left]
            self._left -= len(lines)
            if lines:
                self._waiting.setdefault(tap.stream, []).extend(lines)

    def take(self) -> list[Logged]:
        """What was gathered, as events."""
        taken, self._waiting = self._waiting, {}
        return [Logged(tuple(lines), stream) for stream, lines in taken.items()]

    def close(self) -> None:
        """Let the pipes go."""
        for tap in self._taps:
            tap.end.close()
