"""The query parameters that several routes share, with their bounds."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, Field, WithJsonSchema

from core.checks import MAX_PROBLEMS, nearest, shown
from core.errors import BadRequest, SpecRefused
from core.job import Problem
from core.store import Once

LIMIT = 1000
MOST = 10_000
_SEQ_MAX = 2_147_483_647

JobId = Annotated[str, Path(description="The job's id.", examples=["job_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]
DatasetId = Annotated[str, Path(description="The dataset's id.", examples=["ds_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]
After = Annotated[int, Query(ge=0, le=_SEQ_MAX, description="The last epoch or `seq` seen; only later ones come.")]
Limit = Annotated[int, Query(ge=1, le=LIMIT, description="Rows at most.")]
Wait = Annotated[
    float,
    Query(ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for something new; an ended job never waits."),
]
IfNoneMatch = Annotated[str | None, Header(description="The entity tag that the client has; the same again is a 304.")]
LastEventId = Annotated[
    Annotated[int, Field(ge=0, le=_SEQ_MAX)] | None,
    BeforeValidator(lambda text: text or None),  # some clients send it empty before the first event
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": _SEQ_MAX}, {"type": "string", "const": ""}]}
    ),
    Header(description="The last `seq` seen, sent by a stream that comes back."),
]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[ -~]+$",
        description="Makes the request safe to repeat: the same key with the same request makes no second job but "
        "gets the first answer again, with `Idempotent-Replayed: true`; with another request it is a 422. "
        "Up to 255 printable ASCII characters, kept for 24 hours.",
        examples=["0199f0c2-a1b2-7c3d-8e4f-5a6b7c8d9e0f"],
    ),
]


async def _once(request: Request, idempotency_key: IdempotencyKey = None) -> Once | None:
    if idempotency_key is None:
        return None
    asked = hashlib.sha256(f"{request.method} {request.scope['path']}\n".encode("utf-8", "replace"))
    asked.update(await request.body())
    return Once(idempotency_key, asked.hexdigest())


OnceDep = Annotated[Once | None, Depends(_once)]
"""The request's Idempotency-Key, if it has one, and what it stands for."""


async def json_body(request: Request) -> None:
    """Refuse a body that is not called JSON or that names something twice; a missing one is the spec's own problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not is_json and (kind or await request.body()):
        raise HTTPException(415, "Send the body as application/json.")
    if twice := _named_twice(await request.body()):
        raise SpecRefused(
            [Problem("", f"{shown(name)} is given twice; which one holds?") for name in twice[:MAX_PROBLEMS]]
        )


def _named_twice(body: bytes) -> list[str]:
    """Names that an object of `body` has more than once: the last would hold, unseen."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(unique := dict(pairs)) < len(pairs):
            found.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return unique

    if body:
        json.loads(body, object_pairs_hook=look)
    return found


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a misspelt filter would silently list everything."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = _query_names(route.dependant)
    for name in request.query_params:
        if name not in known:
            raise BadRequest(f"{shown(name)} is no parameter here.{nearest(name, known)}", param=name[:100])


def _query_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*map(_query_names, dependant.dependencies))


_IDS_MAX = 8_000
"""What proxies take as an address; two hundred ids are shorter."""
JobIds = Annotated[str, Query(max_length=_IDS_MAX, pattern=r"^[A-Za-z0-9_, ]*$")]


def wants_stream(request: Request) -> bool:
    """Whether the client asks for server-sent events."""
    return "text/event-stream" in request.headers.get("accept", "").lower()


def wants_text(request: Request) -> bool:
    """Whether the client asks for plain text first of all: many name it last, behind JSON."""
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return first.strip().lower() == "text/plain"
