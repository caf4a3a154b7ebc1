"""The API on a socket: uvicorn, with streams that end at once when it stops."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from api.context import Api
from api.listening import bound, check_exposure
from core.errors import StartRefused

GRACE_S = 1
"""How long a request that is being answered may go on when the server stops."""
KEEP_ALIVE_S = 30
NOT_STARTED = "The API did not start; its log says why."


def serve(
    app: FastAPI,
    host: str,
    port: int,
    *,
    ready: Callable[[str], None] | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then return within 3 s; `ready` gets the URL once requests are answered.

    Afterwards the process hears neither, so that an impatient repeat cannot cut short what the caller tidies.
    Port 0 takes a free one; `listener` is a socket that was `bound` before.
    Raises StartRefused when the address cannot or may not be used.
    """
    server = Server(app, host, port, ready=ready, listener=listener)
    _hear(server.handle_exit)
    server.run()
    _hear(signal.SIG_IGN)
    if not server.started:
        raise StartRefused(NOT_STARTED)


class Server(uvicorn.Server):
    """One API on one address; the port is bound when it is made.

    `run()` serves in this thread; as a context manager it serves in another one.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        ready: Callable[[str], None] | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        api: Api = app.state.api
        check_exposure(host, has_key=api.settings.api_key is not None)
        self.hub = api.hub
        self._socket = listener or bound(host, port)
        self._ready = ready
        self._thread: threading.Thread | None = None
        self._up = threading.Event()
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{_shown(host)}:{self.port}"
        super().__init__(_config(app))

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve in this thread until told to stop."""
        try:
            super().run(sockets or [self._socket])
        finally:
            self._socket.close()
            self._up.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then tell so."""
        await super().startup(sockets)
        self._up.set()
        if self._ready is not None and self.started:
            self._ready(self.url)

    def stop(self) -> None:
        """Stop from any thread or signal handler: streams end now, other answers get their grace."""
        self.should_exit = True
        self.hub.close_soon()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """Stop on a signal, and return to the caller afterwards; impatient repeats change nothing, the end is near."""
        self.stop()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name="trainwire-api", daemon=True)
        self._thread.start()
        self._up.wait()
        if not self.started:
            raise StartRefused(NOT_STARTED)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()


def _hear(act: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, act)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def _shown(host: str) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
