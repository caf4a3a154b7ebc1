"""The whole look: the host, then the places, then what runs there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx

from core.errors import StartRefused
from trainwire.address import transport
from trainwire.doctor import broker, database, host, places
from trainwire.doctor.findings import Finding, broken, ok, told
from trainwire.doctor.scene import Scene, scene

READY_WITHIN_S = 10.0


def examine(data: Path | None) -> Iterator[Finding]:
    """What is found of the service on `data`, or of the one that TRAINWIRE_* names."""
    yield from told("python", host.python)
    yield from told("plugins", host.plugins)
    yield from told("sqlite", host.sqlite)
    try:
        here = scene(data)
    except StartRefused as refused:
        yield broken("settings", refused.message, refused.hint or "Correct the TRAINWIRE_* variables.")
    else:
        yield from told("service", partial(_service, here))
        yield from told("artifacts", partial(places.folders, here))
        yield from told("database", partial(database.database, here))
        yield from told("broker", partial(broker.broker, here))
    yield from told("torch", host.torch)


def _service(here: Scene) -> Iterator[Finding]:
    if not here.is_embedded:
        yield ok("service", "distributed, as TRAINWIRE_DATABASE_URL says")
    elif here.url is None:
        yield ok("service", f"none runs on {here.data}")
    else:
        yield _ready(here.url)


def _ready(url: str) -> Finding:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=READY_WITHIN_S, **transport(url))
    except httpx.RequestError as error:
        return broken("service", f"the one at {url} does not answer: {error}", "Stop it and start it again.")
    if answer.is_success:
        return ok("service", f"runs at {url} and is ready")
    return broken("service", f"the one at {url} is not ready: {answer.text[:200]}", "Its log says more.")
