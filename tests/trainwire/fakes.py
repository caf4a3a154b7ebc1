"""A small server that answers as a test tells it to, for what a real service cannot be made to do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer; `cut` breaks the connection off where the body ends."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/event-stream"
    cut: bool = False


@dataclass
class Scripted:
    """Gives the answers of `script` one after the other, the last one for ever, and keeps what was asked."""

    script: list[Answer]
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append((path, headers))
        return self.script[min(len(self.asked), len(self.script)) - 1]


def job_body(**changes: Any) -> bytes:
    """A job as the API shows it."""
    at = "2026-11-23T04:05:06.789012Z"
    job = {
        "id": "job_1",
        "name": "quick",
        "status": "queued",
        "spec": {"epochs": 3},
        "seed": 0,
        "attempt": 0,
        "queue": {},
        "labels": {},
        "created_at": at,
        "transitions": [],
        "links": dict.fromkeys(("self", "events", "metrics", "logs", "artifacts", "cancel"), "/"),
    }
    return json.dumps({**job, **changes}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.fake.bodies.append(self.rfile.read(length))
        answer = self.server.fake.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body) + answer.cut))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.cut

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    fake: Scripted


@contextmanager
def serving(fake: Scripted) -> Iterator[None]:
    """Serve the fake's script on a free port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = fake
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
