"""Who may come in, as plain ASGI: known hosts, the bearer key, and bodies of a sane size."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from core.hosts import is_loopback

PUBLIC = frozenset(
    {"/", "/compare", "/new", "/help", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", "/version"}
)
"""What needs no key, to the letter; with it everything under `PUBLIC_FOLDERS`."""
PUBLIC_FOLDERS = ("/static/", "/jobs/", "/help/")
"""Pages hold no data for whoever brings no key."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class HostGuard:
    """Refuse a foreign Host (DNS rebinding) and writes that another site's page sends.

    A loopback name, one of `allowed`, or the address that the connection arrived at may be named.
    """

    def __init__(self, app: ASGIApp, *, allowed: Collection[str]) -> None:
        self.app = app
        self.allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 400 or 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._known(_name(host), scope):
            detail = f"The Host {host[:100]!r} is not this service; TRAINWIRE_ALLOWED_HOSTS adds names."
            await problem(scope, 400, detail=detail, code="foreign_host")(scope, receive, send)
        elif scope.get("method") not in _SAFE_METHODS and _foreign(headers.get("origin"), host):
            detail = "A page of another site may not change anything here."
            await problem(scope, 403, detail=detail)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _known(self, name: str, scope: Scope) -> bool:
        arrived_at = (scope.get("server") or ("",))[0]
        return bool(name) and (name in self.allowed or name == arrived_at or is_loopback(name))


def _name(host: str) -> str:
    """`[::1]:8000` is `::1`, `Example.org:80` is `example.org`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _foreign(origin: str | None, host: str) -> bool:
    return origin is not None and origin.partition("://")[2].lower() != host.lower()


class KeyGuard:
    """Refuse whatever is not public without the bearer key; without a key set, everything is open.

    The request's state says, as `admitted`, whether it may see data.
    """

    def __init__(self, app: ASGIApp, *, key: str | None) -> None:
        self.app = app
        self.key = None if key is None else key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 401."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        admitted = self.key is None or self._fits(Headers(scope=scope))
        scope.setdefault("state", {})["admitted"] = admitted
        if admitted or is_public(scope["path"]):
            await self.app(scope, receive, send)
            return
        detail = "Send the key as `Authorization: Bearer KEY`; a key in the query string is never read."
        response = problem(scope, 401, detail=detail, headers={"WWW-Authenticate": 'Bearer realm="trainwire"'})
        await response(scope, receive, send)

    def _fits(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode(), self.key or b"")


def is_public(path: str) -> bool:
    """Whether a path needs no key."""
    return path in PUBLIC or path.startswith(PUBLIC_FOLDERS)


class BodyLimit:
    """Refuse bodies over `most` bytes, announced or not, before they are read whole.

    Paths that are like a pattern in `larger` take so many.
    """

    def __init__(self, app: ASGIApp, *, most: int, larger: Mapping[str, int]) -> None:
        self.app = app
        self.most = most
        self.larger = {re.compile(pattern): most for pattern, most in larger.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its body counted, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self._most(scope["path"]) if scope["method"] == "POST" else self.most
        detail = f"The body has more than {most:,} bytes."
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > most:
            await problem(scope, 413, detail=detail)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, detail)
            return message

        await self.app(scope, counted, send)

    def _most(self, path: str) -> int:
        return next((most for pattern, most in self.larger.items() if pattern.fullmatch(path)), self.most)
