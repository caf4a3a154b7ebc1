"""Server-sent events on httpx2, whose client reads them itself (httpx does not); the only module that imports it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from trainwire.address import transport

SILENCE_S = 45.0
"""Three pings (15 s each) without a byte: the connection is dead."""


class StreamCut(Exception):
    """The stream broke off before its end, or never opened; connect again and resume."""

    def __init__(self, message: str, *, was_open: bool) -> None:
        self.was_open = was_open
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Frame:
    """One event's JSON, and the id to resume behind: its own, or that of the last one that had any."""

    id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `frames` are the events of a 200; any other status has a `body`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    frames: Iterator[Frame]


@contextmanager
def connect(url: str, *, headers: Mapping[str, str], last_id: str) -> Generator[Reply]:
    """Open an event stream behind `last_id`; raises `StreamCut` when nothing answers or it breaks off."""
    resume = {"Last-Event-ID": last_id} if last_id else {}
    timeout = httpx2.Timeout(10.0, read=SILENCE_S)
    was_open = False
    try:
        with (
            httpx2.Client(timeout=timeout, **transport(url)) as client,
            client.sse(url, headers={**headers, **resume}) as source,
        ):
            was_open = source.response.status_code == 200
            yield _reply(source)
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise StreamCut(str(error), was_open=was_open) from error


def _reply(source: httpx2.EventSource) -> Reply:
    response = source.response
    body = b"" if response.status_code == 200 else response.read()
    frames = (Frame(frame.id, json.loads(frame.data)) for frame in source if frame.data)
    return Reply(status=response.status_code, headers=response.headers, body=body, frames=frames)
