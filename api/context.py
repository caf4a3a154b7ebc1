"""What every route works with: the store, the hub, the bells and the settings of this API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.hub import Hub
from api.node import NodeView
from core import intake
from core.bell import WatchBell, WorkBell
from core.serving.asking import Bounds
from core.serving.predictor import Predictor
from core.settings import Settings
from core.shelf import Shelf
from core.store import Store

T = TypeVar("T")

LOOKS = 2
EXPORTS = 2
FEW_ROWS = 1001
"""A page, and one row more to know whether there is another: at most some 10 ms of the event loop's time."""


@dataclass(frozen=True, slots=True)
class Api:
    """One API and what it stands on; `node` is there when workers live in the same process."""

    store: Store
    hub: Hub
    watch_bell: WatchBell
    work_bell: WorkBell
    settings: Settings
    node: NodeView | None
    shelf: Shelf
    predictor: Predictor
    looks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKS))
    """How many uploads are looked into at once: each look may take gigabytes."""
    exports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EXPORTS))
    """How many models are exported at once: each takes a core and up to gigabytes."""

    async def read(self, ask: Callable[[], T], *, rows: int | None = 0) -> T:
        """A read of at most `rows` (None: all): here and now where the store is that cheap and they are few."""
        if self.store.in_place and rows is not None and rows <= FEW_ROWS:
            return ask()
        return await run_in_threadpool(ask)


def limits_of(settings: Settings) -> intake.Limits:
    """What a file may be, by the settings."""
    return intake.Limits(**{name: getattr(settings, f"upload_{name}") for name in intake.Limits.__slots__})


def shelf_of(settings: Settings) -> Shelf:
    """The folder of the files that specs may name, looked into as uploads are."""
    limits = limits_of(settings)
    return Shelf(settings.files, lambda path, name: intake.inspect_file(path, filename=name, limits=limits))


def predictor_of(settings: Settings) -> Predictor:
    """What predicts for this API; nothing of it runs yet."""
    bounds = Bounds(
        rows=settings.predict_rows,
        pixels=settings.upload_pixels,
        models=settings.predict_models,
        memory_bytes=settings.predict_memory_bytes,
    )
    return Predictor(bounds, seconds=settings.predict_seconds)


async def the_api(request: Request) -> Api:
    """The API that this request came to; async, since FastAPI would send anything else through a thread."""
    api: Api = request.app.state.api
    return api


ApiDep = Annotated[Api, Depends(the_api)]
