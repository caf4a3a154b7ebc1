"""Many readers of one job's stream, who come back by themselves whenever it is cut, until they saw its end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.chaos.checks import Damage, unseen
from tests.chaos.services import Door

COME_BACK_AFTER_S = 0.1
SILENT_FOR_S = 30.0


class Watchers:
    """`count` readers of the stream at `url`; each notes every number that it was shown."""

    def __init__(self, url: str, count: int) -> None:
        self.shown: list[list[int]] = [[] for _ in range(count)]
        self._url = url
        self._done = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, within_s: float) -> None:
        """Return once all have seen the end, or the time is over: then what they saw is for the checks."""
        self._thread.join(within_s)
        self._done.set()
        self._thread.join(SILENT_FOR_S)

    def missed(self, events: int, job_id: str) -> list[Damage]:
        """What is wrong with what they saw of a log of `events` entries."""
        return [
            each
            for number, seqs in enumerate(self.shown)
            for each in unseen(seqs, events, who=f"watcher {number}", job_id=job_id)
        ]

    async def _watch(self) -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=SILENT_FOR_S, limits=limits) as client:
            await asyncio.gather(*(self._follow(client, shown) for shown in self.shown))

    async def _follow(self, client: httpx.AsyncClient, shown: list[int]) -> None:
        while not self._done.is_set():
            with suppress(httpx.TransportError):
                if await self._read(client, shown):
                    return
            await asyncio.sleep(COME_BACK_AFTER_S)

    async def _read(self, client: httpx.AsyncClient, shown: list[int]) -> bool:
        """Read one stream until it breaks; True once the end was seen."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(shown[-1] if shown else 0)}
        async with client.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NO_CONTENT:
                return True
            numbered = False
            async for line in answer.aiter_lines():
                if line.startswith("id:"):
                    numbered = True
                elif line.startswith("data:") and numbered:
                    event = json.loads(line.removeprefix("data:"))
                    shown.append(event["seq"])
                    numbered = False
                    if event["type"] == "end":
                        return True
        return False


@contextmanager
def watching(door: Door, job_id: str, count: int, *, within_s: float) -> Iterator[Watchers]:
    """Readers of a job's stream from now to its end."""
    watchers = Watchers(f"http://127.0.0.1:{door.port}/v1/jobs/{job_id}/events", count)
    watchers.start()
    try:
        yield watchers
        watchers.wait(within_s)
    finally:
        watchers.wait(0)
