"""What a stream of many jobs tells, in which order, and the cursor by which it goes on; here that of all jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from api.board import AT_ONCE
from api.changes import Change
from api.context import Api
from api.inbox import MOST_CHANGED, Inbox, Mail
from core.views import ChangeType

RESET = '{"type":"reset","data":{}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One message as text; `id` is the cursor behind it, where it has one."""

    type: str
    json: str
    id: str | None = None

    @property
    def sse(self) -> bytes:
        """It as a server-sent event."""
        name = "" if self.id is None else f"id: {self.id}\n"
        return f"{name}event: {self.type}\ndata: {self.json}\n\n".encode()


class Course(Protocol):
    """What is told of many jobs: first by replay, which may be had again, then by what comes into the inbox."""

    inbox: Inbox

    @property
    def told(self) -> Mapping[str, int]:
        """The jobs whose events come into the inbox, and how far their logs were known."""

    @property
    def cursor(self) -> str:
        """Where to go on behind what was told."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""

    def replay(self) -> AsyncIterator[list[Message]]:
        """What the database has behind the cursor."""

    def messages(self, mail: Mail) -> list[Message]:
        """What came into the inbox, without what the replay told."""


class AllJobs:
    """All jobs, each by its newest state; the cursor is a position in this process's journal."""

    is_over = False

    def __init__(self, api: Api, cursor: str | None) -> None:
        self.inbox = Inbox()
        self._api = api
        self._journal = api.hub.board.journal
        self._cursor = cursor

    @property
    def told(self) -> Mapping[str, int]:
        """None: of all jobs only the states are told."""
        return {}

    @property
    def cursor(self) -> str:
        """A position of this process; any other one begins with a reset."""
        return self._cursor or ""

    async def replay(self) -> AsyncIterator[list[Message]]:
        """The jobs that changed behind the cursor, or a reset where that cannot be told, or is too much."""
        changed = self._journal.since(self._cursor)
        if changed is None or len(changed) > MOST_CHANGED:
            yield [self._reset(self._journal.position)]
            return
        ids = list(changed)
        for start in range(0, len(ids), AT_ONCE):
            found = await self._api.hub.board.read(ids[start : start + AT_ONCE])
            yield [self._message(changed[change.job_id], change) for change in found]

    def messages(self, mail: Mail) -> list[Message]:
        """The states that came, behind a reset if there were too many."""
        reset = [] if mail.reset is None else [self._reset(mail.reset)]
        return reset + [self._message(position, change) for position, change in mail.changes]

    def _reset(self, position: int) -> Message:
        self._cursor = self._journal.cursor(position)
        return Message(ChangeType.RESET, RESET, self._cursor)

    def _message(self, position: int, change: Change) -> Message:
        if change.type is ChangeType.PROGRESS:
            return Message(change.type, change.json)
        self._cursor = self._journal.cursor(position)
        return Message(change.type, change.json, self._cursor)
