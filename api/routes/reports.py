"""A job's evaluation report: what its kept weights predict of the part that was held back."""

from __future__ import annotations

import os

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import docs
from api.answers import names, unchanged
from api.context import Api, ApiDep
from api.files import open_below
from api.params import IfNoneMatch, JobId
from api.waiting import check_id
from core.errors import NotFound, WrongStatus
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
async def get_report(job_id: JobId, api: ApiDep, if_none_match: IfNoneMatch = None) -> Response:
    """How good the model is, over the test part, or over the validation part of a job without one.

    It is made at the end of a run: 409 until then, and 404 for a job that ended without one.
    """
    check_id(job_id)
    found = await run_in_threadpool(_artifact, api, job_id)
    etag = f'"{found.sha256}"'
    if names(if_none_match, etag):
        return unchanged(etag)
    body = await run_in_threadpool(_read, api, found)
    return Response(body, 200, {"ETag": etag, "Cache-Control": "no-cache"}, "application/json")


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


def _read(api: Api, file: Artifact) -> bytes:
    descriptor = open_below(api.settings.artifacts, file.path)
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read()
