"""Many jobs at once: what changed of all of them, or of some with all their events."""

from __future__ import annotations

import functools
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from api import docs
from api.answers import json_answer, next_link
from api.context import Api, ApiDep
from api.courses import AllJobs, Course
from api.many import page, pieces
from api.named import MOST_NAMED, named, standings
from api.named_jobs import NamedJobs
from api.params import JobIds, Wait, wants_stream
from api.stream import streamed
from core.views import ChangePage

router = APIRouter(prefix="/v1/events", tags=["watching"])

_CURSOR_MAX = 4_000
Jobs = Annotated[JobIds | None, Query(description=f"Ids between commas, {MOST_NAMED} at most; all jobs without it.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=_CURSOR_MAX,
        pattern=r"^[A-Za-z0-9.-]*$",
        description="The cursor to go on behind: an `id`, or a page's `next`.",
    ),
]
LastCursor = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The last `id` seen, sent by a stream that comes back.")
]


@router.get(
    "",
    operation_id="streamChanges",
    response_model=ChangePage,
    responses=docs.CHANGES_STREAM | docs.ALL_ENDED | docs.problems(404),
)
async def stream_changes(  # noqa: PLR0913 - a stream's parameters
    request: Request,
    api: ApiDep,
    *,
    jobs: Jobs = None,
    after: Cursor = None,
    wait: Wait = 0,
    last_event_id: LastCursor = None,
) -> Response:
    """What changes, of all jobs or of those that `jobs` names.

    With `Accept: text/event-stream` as it happens; else what there is behind the cursor `after`, as JSON. Without a
    cursor, or where one is too old, the first message is `reset`: read what you show; nothing after that is missed.
    `job` is a job's newest state (without its place in the queue), a few times a second at most, `deleted` its end,
    `progress` how far its run is. Of named jobs also every event of their logs, once, with `job` and `seq`.
    """
    cursor = last_event_id or after
    course = await _course(api, jobs, cursor)
    if isinstance(course, NamedJobs) and course.was_told_all:
        return Response(status_code=204)
    api.hub.check_open()
    if wants_stream(request):
        return streamed(pieces(api, course))
    body = await page(api, course, wait_s=wait)
    return json_answer(body, headers=next_link(request, course.cursor))


async def _course(api: Api, jobs: str | None, cursor: str | None) -> Course:
    if jobs is None:
        return AllJobs(api, cursor)
    ids = named(jobs)
    return NamedJobs(api, ids, await api.read(functools.partial(standings, api.store, ids)), cursor)
