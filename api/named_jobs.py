"""What a stream of named jobs tells: each job's newest state and all its own events, none lost and none doubled."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Mapping, Sequence

from api.changes import Change
from api.context import Api
from api.courses import RESET, Message
from api.hub import PAGE
from api.inbox import Inbox, Mail
from api.named import Places, standings
from api.watching import Told
from core.job import EventType
from core.store import Pulse
from core.views import ChangeType


class NamedJobs:
    """Some jobs, each by its newest state and by all its own events; the cursor is how far each log was told."""

    def __init__(self, api: Api, ids: tuple[str, ...], pulses: Mapping[str, Pulse | None], cursor: str | None) -> None:
        self.inbox = Inbox(frozenset(ids))
        self._api = api
        self._ids = ids
        self._pulses = pulses
        self._places = None if cursor is None else Places.of(cursor, ids, pulses)
        self._logs = set(ids)
        self._states = set(ids)

    @property
    def told(self) -> Mapping[str, int]:
        """The jobs that there are."""
        return {job_id: pulse.version for job_id, pulse in self._pulses.items() if pulse is not None}

    @property
    def cursor(self) -> str:
        """Where each log was told."""
        return "" if self._places is None else self._places.cursor

    @property
    def was_told_all(self) -> bool:
        """Whether the cursor is that of the end."""
        return self._places is not None and self._places.is_at_end(self._pulses)

    @property
    def is_over(self) -> bool:
        """Whether every job's end was told, in its log and by its state."""
        return not self._logs and not self._states

    async def replay(self) -> AsyncIterator[list[Message]]:
        """A reset where there is no cursor; then of each job that went on its state, and what its log has."""
        pulses = await self._api.read(functools.partial(standings, self._api.store, self._ids))
        places, first = self._begin(pulses)
        moved = [
            job_id for job_id, pulse in pulses.items() if pulse is not None and pulse.version > places.seqs[job_id]
        ]
        first += [Message(change.type, change.json) for change in await self._api.hub.board.read(moved)]
        done = {job_id for job_id, pulse in pulses.items() if pulse is None or pulse.status.ended}
        self._states -= done
        if first:
            yield first
        for job_id in moved:
            async for events in self._log(job_id, after=places.seqs[job_id]):
                yield events
        self._logs -= done

    def messages(self, mail: Mail) -> list[Message]:
        """The events behind those that the replay told, then the states."""
        return [*self._fresh(mail.events), *(self._message(change) for _, change in mail.changes)]

    def _begin(self, pulses: Mapping[str, Pulse | None]) -> tuple[Places, list[Message]]:
        """Where the jobs were told, and first of all the word to read again if that is nowhere; and who is gone."""
        first = []
        if self._places is None:
            self._places = Places.now(self._ids, pulses)
            first.append(Message(ChangeType.RESET, RESET, self._places.cursor))
        for job_id, pulse in pulses.items():
            if pulse is None and job_id not in self._places.gone:
                first.append(self._message(Change.deleted(job_id)))
        return self._places, first

    async def _log(self, job_id: str, *, after: int) -> AsyncIterator[list[Message]]:
        while True:
            ask = functools.partial(self._api.store.events, job_id, after=after, limit=PAGE)
            page = await self._api.read(ask, rows=PAGE)
            if page:
                yield self._fresh([Told.of(event) for event in page])
                after = page[-1].seq
            if len(page) < PAGE:
                return

    def _fresh(self, events: Sequence[Told]) -> list[Message]:
        return [message for told in events if (message := self._event(told)) is not None]

    def _event(self, told: Told) -> Message | None:
        places = self._places
        if places is None or told.seq <= places.seqs[told.job_id]:
            return None
        places.seqs[told.job_id] = told.seq
        if told.type is EventType.END:
            self._logs.discard(told.job_id)
        return Message(told.type, f'{{"job":"{told.job_id}",{told.json[1:]}', places.cursor)

    def _message(self, change: Change) -> Message:
        if change.final:
            self._states.discard(change.job_id)
        if change.type is not ChangeType.DELETED or self._places is None:
            return Message(change.type, change.json)
        self._logs.discard(change.job_id)
        self._places.gone.add(change.job_id)
        return Message(change.type, change.json, self._places.cursor)
