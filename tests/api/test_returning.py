"""Watchers that come back: to a server that was restarted, with what they have seen."""

from __future__ import annotations

import asyncio

import httpx

from api.server import Server
from tests.api.conftest import MakeApp
from tests.api.playing import Play, epoch, finished, ids, lines, sse
from tests.api.waiting import until

STREAM = {"Accept": "text/event-stream"}
RETURNING = 50
LIVES = 4


def test_watchers_that_come_back_to_one_server_after_another_see_every_event_once(
    make_app: MakeApp, play: Play
) -> None:
    job = play.running()
    seen: list[list[int]] = [[] for _ in range(RETURNING)]

    async def watch(client: httpx.AsyncClient, mine: list[int]) -> None:
        last = {"Last-Event-ID": str(mine[-1] if mine else 0)}
        answer = await client.get(f"/v1/jobs/{job.id}/events", headers={**STREAM, **last})
        mine.extend(ids(sse(answer.text)))

    async def everyone(server: Server, number: int) -> None:
        def run() -> None:
            until(lambda: server.hub.watchers >= RETURNING)
            play.tell(job, epoch(2 * number), lines("a"))
            server.stop()
            play.tell(job, *([finished()] if number == LIVES else [epoch(2 * number + 1), lines("b")]))

        limits = httpx.Limits(max_connections=RETURNING)
        async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60, trust_env=False) as client:
            watches = [asyncio.create_task(watch(client, mine)) for mine in seen]
            await asyncio.to_thread(run)
            await asyncio.gather(*watches)

    for number in range(1, LIVES + 1):
        with Server(make_app(), "127.0.0.1", 0) as server:
            asyncio.run(everyone(server, number))
    with Server(make_app(), "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, trust_env=False) as last:
        for mine in seen:
            rest = last.get(f"/v1/jobs/{job.id}/events", headers={**STREAM, "Last-Event-ID": str(mine[-1])})
            mine.extend(ids(sse(rest.text)))
    assert seen == [list(range(1, play.store.job(job.id).version + 1))] * RETURNING
