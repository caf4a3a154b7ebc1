"""Which jobs changed of late, and in which order: what a stream of all jobs goes on by."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict

MOST = 10_000
"""Jobs whose last change is known; who was away for more changes reads again."""
_NUMBER = re.compile(r"[0-9]{1,18}")


class Journal:
    """The last change of each job at a position that only grows; a cursor names a position of this very journal."""

    def __init__(self, most: int = MOST) -> None:
        self.position = 0
        self._name = secrets.token_hex(4)
        self._most = most
        self._floor = 0
        self._places: OrderedDict[str, int] = OrderedDict()

    def note(self, job_id: str) -> int:
        """The job changed: the position of that."""
        self.position += 1
        self._places[job_id] = self.position
        self._places.move_to_end(job_id)
        if len(self._places) > self._most:
            self._floor = self._places.popitem(last=False)[1]
        return self.position

    def forget(self) -> int:
        """Any job may have changed: no position up to here can be gone on from."""
        self.position += 1
        self._floor = self.position
        self._places.clear()
        return self.position

    def cursor(self, position: int) -> str:
        """The opaque text that stands for a position."""
        return f"{self._name}.{position}"

    def since(self, cursor: str | None) -> dict[str, int] | None:
        """The jobs that changed behind a cursor, in the order of that; None where that cannot be told."""
        name, _, number = (cursor or "").partition(".")
        # a cursor of another process, or of this one before it began anew, has another name
        if name != self._name or not _NUMBER.fullmatch(number) or not self._floor <= int(number) <= self.position:
            return None
        found: dict[str, int] = {}
        for job_id, position in reversed(self._places.items()):
            if position <= int(number):
                break
            found[job_id] = position
        return dict(reversed(found.items()))
