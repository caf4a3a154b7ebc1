"""A job's figures, one row per epoch: as a page, as lines of JSON, or as CSV."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from api import docs
from api.answers import NO_CACHE, json_answer, next_link
from api.context import ApiDep
from api.export import MEDIA_TYPES, lines
from api.params import LIMIT, MOST, After, JobId, Wait
from api.render import cut, epochs_json
from api.thin import thinned
from api.waiting import Look, look_until, standing
from core.job import EpochRow
from core.store import Pulse
from core.views import EpochPage

router = APIRouter(prefix="/v1/jobs/{job_id}/metrics", tags=["watching"])

Format = Literal["json", "jsonl", "csv"]


@router.get("", operation_id="listMetrics", response_model=EpochPage, responses=docs.METRICS | docs.job_problems())
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
    rows = _rows_to_read(limit, max_points) if format == "json" else 1

    def ask() -> tuple[Pulse, list[EpochRow]]:
        return standing(api, job_id), api.store.epochs(job_id, after=after, limit=rows)

    def enough(found: tuple[Pulse, list[EpochRow]]) -> bool:
        return found[0].status.ended or bool(found[1])

    pulse, found = await look_until(api, job_id, Look(ask, enough, rows), wait_s=wait)
    if format != "json":
        text = lines(api, job_id, kind=format, after=after, limit=limit, points=max_points)
        return StreamingResponse(text, headers=NO_CACHE, media_type=MEDIA_TYPES[format])
    page, more = (found, False) if rows is None else cut(found, rows - 1)
    following = str(page[-1].epoch) if more else None
    body = epochs_json(page if max_points is None else thinned(page, max_points), after=following, status=pulse.status)
    return json_answer(body, headers=next_link(request, following))


def _rows_to_read(limit: int | None, points: int | None) -> int | None:
    """One more than the page holds, to know whether there is another; None for all."""
    return None if points is not None and limit is None else (limit or LIMIT) + 1
