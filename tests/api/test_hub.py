"""The hub: one read a ring however many watch, a poll for lost rings, and an end at once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from api.hub import Hub
from api.watching import News, Watcher
from core.bell import LocalWatchBell
from core.errors import Unavailable
from core.store import Store
from tests.api.hubs import run
from tests.api.playing import Play, epoch, lines, step


class CountedStore:
    """A store that counts what it is asked, and can be made to fail or to need a thread."""

    def __init__(self, store: Store, *, in_place: bool = True) -> None:
        self._store = store
        self.in_place = in_place
        self.asked: Counter[str] = Counter()
        self.failing = False
        self.held = threading.Event()
        self.held.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def events(self, *args: Any, **kwargs: Any) -> Any:
        self.asked["events"] += 1
        self.held.wait(10)
        if self.failing:
            raise Unavailable
        return self._store.events(*args, **kwargs)

    def pulse(self, *args: Any, **kwargs: Any) -> Any:
        self.asked["pulse"] += 1
        if self.failing:
            raise Unavailable
        return self._store.pulse(*args, **kwargs)


@pytest.fixture(params=[True, False], ids=["in place", "in threads"])
def counted(store: Store, request: pytest.FixtureRequest) -> CountedStore:
    return CountedStore(store, in_place=request.param)


@contextmanager
def watchers(hub: Hub, job_id: str, *, told: int, count: int) -> Iterator[list[Watcher]]:
    with ExitStack() as stack:
        yield [stack.enter_context(hub.watch(job_id, told=told)) for _ in range(count)]


async def _seqs(watcher: Watcher, *, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += [told.seq for told in (await watcher.news(within_s=10)).events]
    return found


def test_a_ring_costs_one_read_however_many_watch(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with watchers(hub, job.id, told=job.version, count=50) as all_of_them:
            for number in range(1, 4):
                await asyncio.to_thread(play.tell, job, epoch(number), lines("a"))
                seen = await asyncio.gather(*[_seqs(watcher, count=2) for watcher in all_of_them])
                assert seen == [[job.version + 2 * number - 1, job.version + 2 * number]] * 50
        assert counted.asked == {"events": 3}

    run(counted, bell, story)


def test_nobody_watching_costs_nothing(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version):
            pass
        await asyncio.to_thread(play.tell, job, epoch(1))
        await asyncio.sleep(0)
        assert counted.asked == {}

    run(counted, bell, story)


def test_rings_during_a_read_become_one_more_read(store: Store, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()
    counted = CountedStore(store, in_place=False)

    def tell_all() -> None:
        for number in range(1, 11):
            play.tell(job, epoch(number))

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version) as watcher:
            counted.held.clear()
            bell.ring(job.id)
            await asyncio.to_thread(tell_all)
            counted.held.set()
            assert await _seqs(watcher, count=10) == list(range(job.version + 1, job.version + 11))
        assert counted.asked["events"] <= 3

    run(counted, bell, story)


def test_a_lost_ring_costs_at_most_a_poll(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version) as watcher:
            await asyncio.to_thread(counted.record, play.claims[job.id], [epoch(1)])
            assert await _seqs(watcher, count=1) == [job.version + 1]
            await asyncio.to_thread(counted.record, play.claims[job.id], [step(9)])
            news = await watcher.news(within_s=10)
            assert news.progress is not None
            assert b'"step":9' in news.progress

    run(counted, bell, story, poll_s=0.05)


def test_a_database_that_is_away_ends_no_watch(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version) as watcher:
            counted.failing = True
            await asyncio.to_thread(play.tell, job, epoch(1))
            assert await watcher.news(within_s=0.3) == News()
            counted.failing = False
            assert await _seqs(watcher, count=1) == [job.version + 1]

    run(counted, bell, story, poll_s=0.05)


@pytest.mark.parametrize("rings", [True, False])
def test_the_watches_of_a_deleted_job_end(
    counted: CountedStore, bell: LocalWatchBell, play: Play, *, rings: bool
) -> None:
    job, other = play.ended(), play.running()

    async def story(hub: Hub) -> None:
        with watchers(hub, job.id, told=job.version, count=3) as gone, hub.watch(other.id, told=other.version) as kept:
            await asyncio.to_thread(play.store.delete, job.id)
            if rings:
                bell.ring(job.id)
            assert all([(await watcher.news(within_s=10)).over for watcher in gone])
            assert await kept.news(within_s=0.1) == News()

    run(counted, bell, story, poll_s=60 if rings else 0.05)


def test_a_flood_of_lines_reaches_everyone_in_pages(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version) as watcher:
            await asyncio.to_thread(play.tell, job, lines(*["x"] * 3500))
            assert await _seqs(watcher, count=3500) == list(range(job.version + 1, job.version + 3501))

    run(counted, bell, story)


def test_progress_waits_once_and_the_latest_wins(bell: LocalWatchBell, store: Store, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with hub.watch(job.id, told=job.version) as watcher:
            for number in (1, 2, 3):
                await asyncio.to_thread(play.tell, job, step(number))
                await asyncio.sleep(0)
            progress = (await watcher.news(within_s=10)).progress
            assert progress is not None
            assert b'"step":3' in progress
            await asyncio.to_thread(play.tell, job, step(4))
            await asyncio.to_thread(play.tell, job, epoch(1))
            news = await watcher.news(within_s=10)
            assert [told.type for told in news.events] == ["epoch"]
            assert news.progress is None, "progress from before an epoch is stale"

    run(store, bell, story)


def test_closing_ends_every_watch_at_once_and_takes_no_more(bell: LocalWatchBell, store: Store, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        with watchers(hub, job.id, told=job.version, count=3) as all_of_them:
            waiting = [asyncio.create_task(watcher.news()) for watcher in all_of_them]
            await asyncio.sleep(0)
            await asyncio.to_thread(hub.close_soon)
            assert all(news.over for news in await asyncio.wait_for(asyncio.gather(*waiting), 1))
        with pytest.raises(Unavailable), hub.watch(job.id, told=0):
            pass
        bell.ring(job.id)
        hub.close()

    run(store, bell, story)


def test_a_watcher_with_too_much_waiting_is_dropped(
    bell: LocalWatchBell, store: Store, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.watching.MOST_WAITING", 10)
    job = play.running()

    async def story(hub: Hub) -> None:
        with watchers(hub, job.id, told=job.version, count=2) as (slow, quick):
            for number in range(1, 13):
                await asyncio.to_thread(play.tell, job, epoch(number))
                assert await _seqs(quick, count=1) == [job.version + number]
            assert slow.dropped
            assert (await slow.news()).over
            assert hub.watchers == 1

    run(store, bell, story)
