"""What a spec can name, and the workers that are there to run it."""

from __future__ import annotations

import functools

from fastapi import APIRouter
from starlette.responses import Response

from api import docs
from api.answers import digest, json_answer, names, unchanged
from api.context import ApiDep
from api.params import IfNoneMatch
from api.render import page_json, worker_json
from core.catalog import catalog
from core.views import CatalogView, WorkerPage
from core.wire import dumps

router = APIRouter(prefix="/v1", tags=["service"])


@router.get(
    "/catalog",
    operation_id="getCatalog",
    response_model=CatalogView,
    responses=docs.headed(200, "The parts.", "ETag") | docs.NOT_MODIFIED | docs.problems(),
)
async def get_catalog(if_none_match: IfNoneMatch = None) -> Response:
    """Every part that a spec can name: its line, the JSON Schema of its settings, and what it is for."""
    text, etag = _catalog()
    return unchanged(etag) if names(if_none_match, etag) else json_answer(text, headers={"ETag": etag})


@functools.cache
def _catalog() -> tuple[str, str]:
    text = dumps(catalog())
    return text, digest(text)


@router.get("/workers", operation_id="listWorkers", response_model=WorkerPage, responses=docs.problems())
async def list_workers(api: ApiDep) -> Response:
    """The workers that are alive: their devices, slots, queues, jobs and last heartbeat."""
    return json_answer(page_json(map(worker_json, await api.read(api.store.workers))))
