"""The pages that people look at; each holds no data where the service has a key and the request brought none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.context import Api, ApiDep
from api.pages.rendering import PAGES, admitted, page
from api.render import job_json
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


def _jobs(api: Api) -> list[dict[str, Any]]:
    """As the API tells them: a page knows no more."""
    return [json.loads(job_json(job)) for job in api.store.jobs(JobQuery(limit=SHOWN)).rows]
