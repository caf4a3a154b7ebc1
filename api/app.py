"""The API as an ASGI application; it may be made as often as one likes in one process."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from api import schema
from api.context import Api, predictor_of, shelf_of
from api.edge import HeadAsGet, LastHandler, RequestId
from api.forms import OVERHEAD
from api.guards import BodyLimit, HostGuard, KeyGuard
from api.hub import Hub
from api.node import NodeView
from api.pages import assets
from api.params import known_parameters
from api.problems import add_handlers
from api.routes import (
    artifacts,
    catalog,
    changes,
    chapters,
    checkpoints,
    curves,
    datasets,
    events,
    exports,
    jobs,
    lineage,
    metrics,
    operations,
    pages,
    plans,
    predictions,
    reports,
    verbs,
)
from api.telemetry import UNTIMED, new_registry
from api.version import VERSION
from core.bell import WatchBell, WorkBell
from core.settings import Settings
from core.store import Store

V1 = (
    plans,
    jobs,
    verbs,
    lineage,
    predictions,
    metrics,
    curves,
    events,
    changes,
    checkpoints,
    artifacts,
    reports,
    exports,
    datasets,
    catalog,
)
OPEN = (operations, chapters, pages, assets)
"""Rooms outside of /v1."""


def create_app(
    *, store: Store, watch_bell: WatchBell, work_bell: WorkBell, settings: Settings, node: NodeView | None = None
) -> FastAPI:
    """The API over a store; `node` is the embedded worker, if there is one. The caller closes the store."""
    hub = Hub(store, watch_bell)
    app = bare_app()
    app.state.api = Api(store, hub, watch_bell, work_bell, settings, node, shelf_of(settings), predictor_of(settings))
    app.state.registry = new_registry(store, hub)
    app.user_middleware = [
        Middleware(RequestId),
        Middleware(PrometheusInstrumentatorMiddleware, registry=app.state.registry, excluded_handlers=UNTIMED),
        Middleware(LastHandler),
        Middleware(HeadAsGet),
        Middleware(HostGuard, allowed=settings.allowed_hosts),
        Middleware(KeyGuard, key=None if settings.api_key is None else settings.api_key.get_secret_value()),
        Middleware(
            BodyLimit,
            most=settings.max_body_bytes,
            larger={
                datasets.PATH: settings.max_upload_bytes + OVERHEAD,
                predictions.PATHS: settings.predict_body_bytes,
            },
        ),
    ]
    return app


def bare_app() -> FastAPI:
    """The routes alone, as the OpenAPI document needs them."""
    app = FastAPI(
        title=schema.TITLE,
        description=schema.DESCRIPTION,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    add_handlers(app)
    for room in V1:
        app.include_router(room.router, dependencies=[Depends(known_parameters)])
    for room in OPEN:
        app.include_router(room.router)
    app.state.routes = [route for room in (*V1, *OPEN) for route in room.router.routes]
    app.mount(operations.DOCS_ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]))
    app.mount("/static", assets.OwnFiles(directory=assets.STATIC))
    app.openapi = functools.partial(schema.document, app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    api: Api = app.state.api
    await api.hub.start()
    try:
        yield
    finally:
        api.hub.close()
        api.predictor.close()
