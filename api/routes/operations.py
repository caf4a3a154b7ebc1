"""What those who run the service ask: is it alive, is it ready, which version, how much; and the docs, offline."""

from __future__ import annotations

import platform
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from api import docs
from api.answers import json_answer
from api.context import Api, ApiDep
from api.telemetry import TEXT, exposed
from api.version import VERSION
from core.wire import dumps

router = APIRouter(tags=["operations"])

DOCS_ASSETS = "/static/docs"
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class SlotView(BaseModel):
    """A place of the embedded service where one job can run."""

    device: str
    state: Literal["warming", "warm", "busy"]


class Readiness(BaseModel):
    """A job that is posted now is durable; `slots` are those of this process, `workers` all that are alive."""

    status: Literal["ready"]
    workers: int
    slots: list[SlotView]


class Version(BaseModel):
    """What runs here."""

    name: str
    version: str
    api: str
    python: str


@router.get("/healthz", operation_id="getHealth", response_model=Health, responses=docs.open_problems())
async def healthz() -> Response:
    """Whether the process answers."""
    return json_answer('{"status":"ok"}')


@router.get("/readyz", operation_id="getReadiness", response_model=Readiness, responses=docs.open_problems())
async def readyz(api: ApiDep) -> Response:
    """Whether a job that is posted now would be durable; 503 if not."""
    return json_answer(dumps(await run_in_threadpool(_readiness, api)))


def _readiness(api: Api) -> dict[str, Any]:
    api.store.healthy()
    slots = [] if api.node is None else [dict(slot) for slot in api.node.slots]
    return {"status": "ready", "workers": len(api.store.workers()), "slots": slots}


@router.get("/version", operation_id="getVersion", response_model=Version, responses=docs.open_problems())
async def version() -> Response:
    """What runs here."""
    about = {"name": "trainwire", "version": VERSION, "api": "v1", "python": platform.python_version()}
    return json_answer(dumps(about))


@router.get(
    "/metrics",
    operation_id="getPrometheusMetrics",
    response_class=Response,
    responses=docs.FIGURES | docs.open_problems(),
)
def metrics(request: Request) -> Response:
    """Figures of the service, for Prometheus: jobs by status, watchers, requests and their latency."""
    return Response(exposed(request.app.state.registry), media_type=TEXT)


@router.get("/docs", include_in_schema=False)
async def swagger(request: Request) -> HTMLResponse:
    """The interactive documentation; everything it needs comes from here."""
    page = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=f"{request.app.title} API",
        swagger_js_url=f"{DOCS_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCS_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{DOCS_ASSETS}/favicon.png",
        swagger_ui_parameters={"validatorUrl": None},
    )
    page.headers["Content-Security-Policy"] = _DOCS_POLICY
    return page
