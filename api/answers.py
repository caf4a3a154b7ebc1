"""Answers around ready JSON text: entity tags, 304, and links to the next page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

NO_CACHE = {"Cache-Control": "no-cache"}


def json_answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON text as a response; what a client keeps of it must be asked for again."""
    body = text.encode("utf-8", "replace")
    return Response(body, status, {**NO_CACHE, **(headers or {})}, "application/json")


def weak(version: int | str) -> str:
    """A weak entity tag."""
    return f'W/"{version}"'


def digest(text: str) -> str:
    """The weak tag of a text."""
    return weak(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest())


def names(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names `etag` (weak comparison, RFC 9110)."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    bare = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") == bare for one in header.split(","))


def unchanged(etag: str) -> Response:
    """304: the client has it."""
    return Response(status_code=304, headers={**NO_CACHE, "ETag": etag})


def next_link(request: Request, after: str | None) -> dict[str, str]:
    """The Link header to the next page, if there is one."""
    if after is None:
        return {}
    url = request.url.include_query_params(after=after)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
