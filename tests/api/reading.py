"""A reader of `/v1/events`: its messages as they come, and the cursor to come back with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from core.job import Job
from tests.api.playing import sse

STREAM = {"Accept": "text/event-stream"}
PATH = "/v1/events"


@dataclass
class Reader:
    """One connection's messages as they come, and the cursor behind the last one."""

    pieces: Iterator[str]
    seen: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""
    _rest: str = ""

    def until(self, type: str, **wanted: Any) -> dict[str, Any]:  # noqa: A002 - its name on the wire
        """Read on up to a message of this type that has these values, and give it back."""
        while True:
            for message in self._next():
                if message["type"] == type and all(_at(message, name) == value for name, value in wanted.items()):
                    return message

    def to_the_end(self) -> list[dict[str, Any]]:
        """Read all that comes until the stream closes."""
        try:
            while True:
                list(self._next())
        except StopIteration:
            return self.seen

    def _next(self) -> Iterator[dict[str, Any]]:
        whole, _, rest = (self._rest + next(self.pieces)).rpartition("\n\n")
        self._rest = rest
        found = sse(whole + "\n\n")
        messages = [json.loads(event["data"]) for event in found]
        for event, message in zip(found, messages, strict=True):
            assert event["event"] == message["type"]
            self.cursor = event.get("id", self.cursor)
        self.seen += messages
        return iter(messages)


def _at(message: dict[str, Any], name: str) -> Any:
    return message["data"].get(name) if name not in ("job", "seq") else message.get(name)


@contextmanager
def reading(http: httpx.Client, *jobs: Job, after: str | None = None) -> Iterator[Reader]:
    params = {"jobs": ",".join(job.id for job in jobs)} if jobs else {}
    headers = {**STREAM, **({"Last-Event-ID": after} if after else {})}
    with http.stream("GET", PATH, params=params, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        yield Reader(answer.iter_text())


def epochs_of(messages: list[dict[str, Any]], job: Job) -> list[int]:
    return [one["data"]["epoch"] for one in messages if one["type"] == "epoch" and one["job"] == job.id]


def seqs_of(messages: list[dict[str, Any]], job: Job) -> list[int]:
    return [one["seq"] for one in messages if one.get("seq") and one["job"] == job.id]
