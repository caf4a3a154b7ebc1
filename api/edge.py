"""The outermost layers of the API, as plain ASGI: request ids, safe headers, the last handler, and HEAD."""

from __future__ import annotations

import logging
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem, request_id

log = logging.getLogger("trainwire.api")

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestId:
    """Give every request an id, its own if it brought a sane one, and every answer `X-Request-ID` and `nosniff`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request, then let it through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        brought = Headers(scope=scope).get("x-request-id", "")
        name = brought if _SANE_ID.fullmatch(brought) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = name

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = name
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        await self.app(scope, receive, named)


class LastHandler:
    """Answer what no one else caught with a 500 that tells nothing but the request's id; the log tells the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through and catch what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except TimeoutError:
            log.info("dropped a reader that took nothing: request %s", request_id(scope))
        except Exception:
            log.exception("request %s failed: %s %r", request_id(scope), scope.get("method"), scope.get("path"))
            if not started:
                await problem(scope, 500, detail="The log has the reason under this request id.")(scope, receive, send)


class HeadAsGet:
    """Answer HEAD as GET would be, to the end of its headers: no stream begins and no file is read for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through as a GET and end the answer where its body would begin."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def headers_only(message: Message) -> None:
            await send(message)
            await send({"type": "http.response.body"})
            raise _Answered

        try:
            await self.app({**scope, "method": "GET"}, receive, headers_only)
        except* _Answered:  # a stream's task group wraps it
            pass


class _Answered(Exception):
    """The client has all it asked for."""
