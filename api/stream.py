"""A job's log as a stream: what the database has, then what the hub tells; nothing lost, nothing doubled."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus

from api.context import Api
from api.hub import PAGE
from api.plain import Drawing
from api.watching import News, Told
from core.errors import Unavailable
from core.job import EventType, Job

PING_S = 15
SEND_TIMEOUT_S = 30
"""How long a reader may take nothing before its stream is cut."""
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
TEXT = "text/plain; charset=utf-8"
RETRY = b"retry: 2000\n\n"

# The hub ends streams when a server stops; sse-starlette's own flag would end those of every later server, too.
AppStatus.enable_automatic_graceful_drain = False


@dataclass(frozen=True, slots=True)
class Follow:
    """What a stream follows: a job behind `after`, all its events and progress, or only some `types`."""

    job_id: str
    after: int
    types: frozenset[EventType] | None = None


def stream(api: Api, follow: Follow, *, told: int) -> EventSourceResponse:
    """The response; `told` is the job's version when it was found to exist."""
    return streamed(pieces(api, follow, told=told))


def streamed(text: AsyncIterator[bytes]) -> EventSourceResponse:
    """Server-sent events as a response, with pings, that a reader who takes nothing cannot hold open."""
    return EventSourceResponse(
        text,
        headers=HEADERS,
        sep="\n",
        ping=PING_S,
        ping_message_factory=lambda: ServerSentEvent(comment="ping", sep="\n"),
        send_timeout=SEND_TIMEOUT_S,
    )


def drawn(api: Api, follow: Follow, job: Job) -> EventSourceResponse:
    """The same log as lines of plain text, without pings, for who looks at it with curl."""
    return EventSourceResponse(
        _lines(api, follow, job), headers=HEADERS, media_type=TEXT, ping=0, send_timeout=SEND_TIMEOUT_S
    )


async def pieces(api: Api, follow: Follow, *, told: int) -> AsyncIterator[bytes]:
    """The stream's bytes; it holds no database connection while it waits."""
    yield RETRY
    async for part in _parts(api, follow, told=told):
        if text := _joined(part.events) + _progress(part, follow):
            yield text


async def _lines(api: Api, follow: Follow, job: Job) -> AsyncIterator[bytes]:
    drawing = Drawing(job)
    async for part in _parts(api, follow, told=job.version):
        if text := "".join(map(drawing.lines, part.events)):
            yield text.encode("utf-8", "replace")


async def _parts(api: Api, follow: Follow, *, told: int) -> AsyncIterator[News]:
    """The events behind those that are known, each once, and progress, until the job's end or the service's."""
    try:
        with api.hub.watch(follow.job_id, told=told) as watcher:
            seen = follow.after
            async for events in _stored(api, follow):
                yield News(events)
                seen = events[-1].seq
                if events[-1].type is EventType.END:
                    return
            while True:
                news = await watcher.news()
                events = _fresh(news, follow, seen=seen)
                seen = events[-1].seq if events else seen
                yield News(events, news.progress)
                if news.over or (events and events[-1].type is EventType.END):
                    return
    except Unavailable:
        return


async def _stored(api: Api, follow: Follow) -> AsyncIterator[Sequence[Told]]:
    after = follow.after
    while True:
        page = await api.read(
            functools.partial(api.store.events, follow.job_id, after=after, limit=PAGE, types=follow.types)
        )
        if page:
            yield [Told.of(event) for event in page]
            after = page[-1].seq
        if len(page) < PAGE:
            return


def _fresh(news: News, follow: Follow, *, seen: int) -> list[Told]:
    return [told for told in news.events if told.seq > seen and (follow.types is None or told.type in follow.types)]


def _progress(news: News, follow: Follow) -> bytes:
    return news.progress if news.progress is not None and follow.types is None else b""


def _joined(events: Sequence[Told]) -> bytes:
    return b"".join(told.sse for told in events)
