"""The query parameters that several routes share, with their bounds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, HTTPException, Path, Query, Request
from fastapi.routing import APIRoute

from core.checks import nearest, shown
from core.errors import BadRequest

LIMIT = 1000
MOST = 10_000
_SEQ_MAX = 2_147_483_647

JobId = Annotated[str, Path(description="The job's id.", examples=["job_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"])]
After = Annotated[int, Query(ge=0, le=_SEQ_MAX, description="The last epoch or `seq` seen; only later ones come.")]
Limit = Annotated[int, Query(ge=1, le=LIMIT, description="Rows at most.")]
Wait = Annotated[
    float,
    Query(ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for something new; an ended job never waits."),
]
IfNoneMatch = Annotated[str | None, Header(description="The entity tag that the client has; the same again is a 304.")]
LastEventId = Annotated[
    int | None, Header(ge=0, le=_SEQ_MAX, description="The last `seq` seen, sent by a stream that comes back.")
]


async def json_body(request: Request) -> None:
    """Refuse a body that does not call itself JSON; a missing one is the spec's own problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not is_json and (kind or await request.body()):
        raise HTTPException(415, "Send the spec as application/json.")


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a misspelt filter would silently list everything."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = {field.alias for field in route.dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise BadRequest(f"{shown(name)} is no parameter here.{nearest(name, known)}", param=name[:100])
