"""The page at `/`: a live list of jobs that uses nothing but the public API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from api.context import Api, ApiDep
from api.version import VERSION
from core.store import JobQuery

router = APIRouter()

PAGES = Path(__file__).parent.parent / "pages"
SHOWN = 50
_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

_templates = Jinja2Templates(PAGES)


@router.get("/", include_in_schema=False)
async def home(request: Request, api: ApiDep) -> Response:
    """The list of jobs; with a key set it is empty until the browser has sent the key."""
    context = {"jobs": await run_in_threadpool(_jobs, api), "needs_key": _needs_key(api), "version": VERSION}
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}
    return _templates.TemplateResponse(request, "index.html", context, headers=headers)


def _needs_key(api: Api) -> bool:
    return api.settings.api_key is not None


def _jobs(api: Api) -> list[Any]:
    return [] if _needs_key(api) else list(api.store.jobs(JobQuery(limit=SHOWN)).rows)
