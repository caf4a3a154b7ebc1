"""The pages that people look at; each holds no data where the service has a key and the request brought none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.context import Api, ApiDep
from api.pages.comparing import compared, ids_in
from api.pages.job_facts import job_facts
from api.pages.rendering import PAGES, admitted, page
from api.render import job_json
from api.waiting import check_id
from core.errors import Gone, NotFound
from core.store import JobQuery

router = APIRouter(include_in_schema=False)

STATIC: Path = PAGES / "static"
SHOWN = 50


@router.get("/")
async def show_jobs(request: Request, api: ApiDep) -> Response:
    """The list of jobs."""
    if not admitted(request):
        return page(request, "jobs.html", locked=True, jobs=[])
    return page(request, "jobs.html", jobs=await run_in_threadpool(_jobs, api))


@router.get("/jobs/{job_id}")
async def show_job(request: Request, job_id: str, api: ApiDep) -> Response:
    """One job."""
    if not admitted(request):
        return page(request, "job.html", chart=True, locked=True, job=None)
    try:
        check_id(job_id)
        job = await run_in_threadpool(api.store.job, job_id)
        facts = await run_in_threadpool(job_facts, api, job, url=str(request.base_url).rstrip("/"))
    except (NotFound, Gone) as error:
        status, title = (410, "Deleted") if isinstance(error, Gone) else (404, "Not here")
        return page(request, "missing.html", status=status, title=title, sentence=error.message)
    return page(request, "job.html", chart=True, **facts)


@router.get("/compare")
async def show_comparison(
    request: Request, api: ApiDep, *, jobs: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Several jobs beside each other."""
    if not admitted(request):
        return page(request, "compare.html", chart=True, locked=True)
    facts = await run_in_threadpool(compared, api, ids_in(jobs or ()))
    return page(request, "compare.html", chart=True, **facts)


def _jobs(api: Api) -> list[dict[str, Any]]:
    """As the API tells them: a page knows no more."""
    return [json.loads(job_json(job)) for job in api.store.jobs(JobQuery(limit=SHOWN)).rows]
