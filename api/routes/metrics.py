"""A job's figures, one row per epoch: as a page, as lines of JSON, or as CSV."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api import docs
from api.answers import NO_CACHE, json_answer, next_link
from api.context import Api, ApiDep
from api.export import MEDIA_TYPES, lines
from api.params import LIMIT, MOST, After, JobId, Wait
from api.render import cut, epoch_json, page_json
from api.thin import thinned
from api.waiting import look_until, standing
from core.job import EpochRow
from core.store import Pulse
from core.views import EpochPage

router = APIRouter(prefix="/v1/jobs/{job_id}/metrics", tags=["watching"])

Format = Literal["json", "jsonl", "csv"]


@router.get("", operation_id="listMetrics", response_model=EpochPage, responses=docs.METRICS | docs.problems(404))
async def list_metrics(  # noqa: PLR0913 - a list's parameters
    request: Request,
    job_id: JobId,
    api: ApiDep,
    *,
    after: After = 0,
    limit: Annotated[
        int | None,
        Query(ge=1, le=MOST, description="Rows at most: 1,000, but all for jsonl, csv and with `max_points`."),
    ] = None,
    wait: Wait = 0,
    max_points: Annotated[
        int | None, Query(ge=2, le=MOST, description="Thin to so many rows; the extremes of the loss are kept.")
    ] = None,
    format: Annotated[Format, Query(description="A page, JSON lines or CSV.")] = "json",  # noqa: A002 - its name on the wire
) -> Response:
    """The figures of the epochs behind `after`; with `wait`, as soon as there are any."""
    await standing(api, job_id)

    def look() -> tuple[Pulse, list[EpochRow]]:
        pulse = api.store.pulse([job_id])[job_id]
        return pulse, api.store.epochs(job_id, after=after, limit=1)

    def enough(found: tuple[Pulse, list[EpochRow]]) -> bool:
        return found[0].status.ended or bool(found[1])

    pulse, _ = await look_until(api, job_id, look=look, enough=enough, wait_s=wait)
    if format != "json":
        rows = lines(api, job_id, kind=format, after=after, limit=limit, points=max_points)
        return StreamingResponse(rows, headers=NO_CACHE, media_type=MEDIA_TYPES[format])
    found, following = await _page(api, job_id, after=after, limit=limit, points=max_points)
    body = page_json(map(epoch_json, found), after=following, status=pulse.status)
    return json_answer(body, headers=next_link(request, following))


async def _page(
    api: Api, job_id: str, *, after: int, limit: int | None, points: int | None
) -> tuple[list[EpochRow], str | None]:
    """The rows, and where the next page begins."""
    if points is not None and limit is None:
        return thinned(await run_in_threadpool(api.store.epochs, job_id, after=after), points), None
    limit = limit or LIMIT
    read = api.read if limit <= LIMIT else run_in_threadpool
    rows, more = cut(await read(api.store.epochs, job_id, after=after, limit=limit + 1), limit)
    return (thinned(rows, points) if points else list(rows)), str(rows[-1].epoch) if more else None
