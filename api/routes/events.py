"""A job's log: its events and its printed lines, live over SSE or page by page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api import docs
from api.answers import json_answer, next_link
from api.context import Api, ApiDep
from api.params import LIMIT, After, JobId, LastEventId, Limit, Wait, wants_stream, wants_text
from api.render import cut, event_json, page_json
from api.stream import Follow, drawn, stream
from api.waiting import Look, look_until, standing
from core.job import Event, EventType
from core.store import Pulse
from core.views import EventPage

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["watching"])

_LOGS = frozenset({EventType.LOG})


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a log is asked for: behind `after` as a page, behind `first` as a stream."""

    after: int
    first: int
    limit: int
    wait_s: float


async def _asked(*, after: After = 0, limit: Limit = LIMIT, wait: Wait = 0, last_event_id: LastEventId = None) -> Asked:
    return Asked(after, after if last_event_id is None else last_event_id, limit, wait)


AskedDep = Annotated[Asked, Depends(_asked)]


@router.get(
    "/events",
    operation_id="streamEvents",
    response_model=EventPage,
    responses=docs.EVENTS_STREAM | docs.PAST_THE_END | docs.job_problems(),
)
async def stream_events(request: Request, job_id: JobId, api: ApiDep, asked: AskedDep) -> Response:
    """The job's events behind `after`.

    With `Accept: text/event-stream` first those there are, then each as it happens, and progress between them; the
    stream ends after `end`. `Last-Event-ID` goes before `after`. Past the end the answer is 204, so that a browser
    stops asking. With `Accept: text/plain` the same as lines to look at, an epoch's with its losses drawn.
    """
    if wants_stream(request) or wants_text(request):
        return await _stream(request, api, Follow(job_id, asked.first))
    return await _page(request, api, job_id, asked)


@router.get(
    "/logs",
    operation_id="streamLogs",
    response_model=EventPage,
    responses=docs.EVENTS_STREAM | docs.PAST_THE_END | docs.job_problems(),
)
async def stream_logs(request: Request, job_id: JobId, api: ApiDep, asked: AskedDep) -> Response:
    """What the run printed behind `after`, a line an event; as a stream, followed by the job's `end`."""
    if wants_stream(request) or wants_text(request):
        return await _stream(request, api, Follow(job_id, asked.first, types=_LOGS | {EventType.END}))
    return await _page(request, api, job_id, asked, types=_LOGS)


async def _stream(request: Request, api: Api, follow: Follow) -> Response:
    pulse = await api.read(lambda: standing(api, follow.job_id))
    if pulse.status.ended and follow.after >= pulse.version:
        return Response(status_code=204)
    api.hub.check_open()
    # an id from another life of the database would hide even the end
    follow = replace(follow, after=min(follow.after, pulse.version))
    if wants_stream(request):
        return stream(api, follow, told=pulse.version)
    return drawn(api, follow, await api.read(lambda: api.store.job(follow.job_id)))


async def _page(
    request: Request, api: Api, job_id: str, asked: Asked, *, types: Collection[EventType] | None = None
) -> Response:
    rows = asked.limit + 1

    def ask() -> tuple[Pulse, list[Event]]:
        return standing(api, job_id), api.store.events(job_id, after=asked.after, limit=rows, types=types)

    def enough(found: tuple[Pulse, list[Event]]) -> bool:
        return found[0].status.ended or bool(found[1])

    pulse, found = await look_until(api, job_id, Look(ask, enough, rows), wait_s=asked.wait_s)
    page, more = cut(found, asked.limit)
    following = str(page[-1].seq) if more else None
    body = page_json(map(event_json, page), after=following, status=pulse.status)
    return json_answer(body, headers=next_link(request, following))
