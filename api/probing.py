"""Trials that a request waits for: asked of the workers through the store, and dropped whatever comes."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.context import Api
from core.errors import Unavailable
from core.spec import JobSpec

WITHIN_S = 30.0
"""How long a request waits for a trial."""
_LOOK_S = 0.1
_SPARE_S = 5.0
"""So much longer a probe may be wanted: it is dropped by whoever waits, and only goes by itself where that one died."""


async def tried_out(api: Api, request: Request, spec: JobSpec) -> dict[str, Any]:
    """What came of a trial of `spec`, `trial` or `error`; raises Unavailable when no worker has answered in time.

    The client's going ends the trial, as its end does.
    """
    probe_id = await run_in_threadpool(api.store.ask_probe, spec, within_s=WITHIN_S + _SPARE_S)
    try:
        api.work_bell.ring(spec.resources.queue)
        return await asyncio.wait_for(_answer(api, request, probe_id), WITHIN_S)
    except TimeoutError:
        told = f"No worker has tried this out within {WITHIN_S:g} s: they are busy, or it takes longer."
        raise Unavailable(told, hint="Ask again in a moment, or plan without probe.") from None
    finally:
        await run_in_threadpool(api.store.drop_probe, probe_id)


async def _answer(api: Api, request: Request, probe_id: str) -> dict[str, Any]:
    while api.hub.open:
        told = await api.read(lambda: api.store.probe_answer(probe_id))
        if told is not None:
            return dict(told)
        if await request.is_disconnected():
            raise HTTPException(400, "The client went away.")
        await asyncio.sleep(_LOOK_S)
    raise Unavailable("The service stops before the trial has ended; ask again in a moment.")
