"""A job's evaluation report: what its kept weights predict of the part that was held back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import names, unchanged
from api.context import Api, ApiDep
from api.files import read_below
from api.params import IfNoneMatch, JobId
from api.waiting import check_id
from core.checks import shown
from core.drawing import EXTRA, MEDIA_TYPES, PACKAGE, draw, figures_of
from core.errors import BadRequest, NotFound, WrongStatus
from core.extras import install, is_here
from core.files import REPORT
from core.job import Artifact, Job, Status
from core.views import ReportView

router = APIRouter(prefix="/v1/jobs/{job_id}/report", tags=["artifacts"])


@router.get(
    "",
    operation_id="getReport",
    response_model=ReportView,
    responses=docs.REPORT | docs.NOT_MODIFIED | docs.job_problems(409),
)
async def get_report(
    job_id: JobId,
    api: ApiDep,
    if_none_match: IfNoneMatch = None,
    format: Annotated[  # noqa: A002
        Literal["json", "svg", "png"], Query(description="The report itself, or a picture of it.")
    ] = "json",
    figure: Annotated[
        str | None, Query(max_length=40, description="Which picture; the most telling one when not given.")
    ] = None,
) -> Response:
    """How good the model is, over the test part, or over the validation part of a job without one.

    It is made at the end of a run: 409 until then, and 404 for a job that ended without one. Pictures: `confusion`,
    `calibration`, `f1`, `roc`, `precision_recall` of classes, `f1` of labels, `scatter`, `residuals`, `targets` of
    numbers, `positions` of tokens, `features`, `errors` of a reconstruction.
    """
    check_id(job_id)
    found = await run_in_threadpool(_artifact, api, job_id)
    etag = f'"{found.sha256}"' if format == "json" else f'"{found.sha256}-{figure or ""}.{format}"'
    if names(if_none_match, etag):
        return unchanged(etag)
    body = await run_in_threadpool(read_below, api.settings.artifacts, found.path)
    if format != "json":
        body = await run_in_threadpool(_drawn, json.loads(body), figure, format)
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Content-Security-Policy": "sandbox"}
    return Response(body, 200, headers, MEDIA_TYPES.get(format, "application/json"))


def _drawn(report: Mapping[str, Any], figure: str | None, format: str) -> bytes:  # noqa: A002
    """The picture; BadRequest for one that this report has not, or where matplotlib is missing."""
    known = figures_of(report)
    if figure is not None and figure not in known:
        raise BadRequest(f"This report has no figure {shown(figure)}: it has {', '.join(known)}.", param="figure")
    if not is_here(PACKAGE):
        hint = f"Where the API runs: {install(EXTRA)}."
        raise BadRequest("Pictures need matplotlib, which is not installed.", hint=hint, param="format")
    return draw(report, figure=figure or known[0], format=format)


def _artifact(api: Api, job_id: str) -> Artifact:
    try:
        return api.store.artifact(job_id, REPORT)
    except NotFound:
        raise _without(api.store.job(job_id)) from None


def _without(job: Job) -> NotFound | WrongStatus:
    """Why a job has no report."""
    if not job.status.ended:
        return WrongStatus(f"The report is made at the end of a run, and this job is {job.status}.")
    if job.status is not Status.SUCCEEDED:
        return NotFound(f"Only a job that succeeded has a report, and this one is {job.status}.")
    return NotFound(
        "This job has no report: it holds nothing back, it ran before there were reports, or a notice says why not."
    )
