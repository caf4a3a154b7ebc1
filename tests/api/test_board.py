"""The board of all jobs: what a ring costs, what a lost one costs, and what waits for who is slow."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from api.changes import Change
from api.hub import Hub
from api.inbox import Inbox, Mail
from api.journal import Journal
from core.bell import MISSED, LocalWatchBell
from core.errors import Unavailable
from core.events import RunEvent
from core.store import Store
from tests.api.hubs import run
from tests.api.playing import Play, epoch, finished, step


class CountedStore:
    """A store that counts the reads of a board, and can be made to fail."""

    def __init__(self, store: Store, *, in_place: bool = True) -> None:
        self._store = store
        self.in_place = in_place
        self.asked: Counter[str] = Counter()
        self.failing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def pulse(self, ids: Any) -> Any:
        self.asked["pulse"] += len(ids)
        if self.failing:
            raise Unavailable
        return self._store.pulse(ids)

    def jobs_by_id(self, ids: Any) -> Any:
        self.asked["jobs"] += len(ids)
        return self._store.jobs_by_id(ids)


@pytest.fixture(params=[True, False], ids=["in place", "in threads"])
def counted(store: Store, request: pytest.FixtureRequest) -> CountedStore:
    return CountedStore(store, in_place=request.param)


async def changes(inbox: Inbox, *, count: int) -> list[Change]:
    """The changes that come, up to so many."""
    found: list[Change] = []
    while len(found) < count:
        found += [change for _, change in (await inbox.mail(within_s=10)).changes]
    return found


def test_a_ring_costs_one_read_of_its_job_however_many_watch_and_wait(
    counted: CountedStore, bell: LocalWatchBell, play: Play
) -> None:
    jobs = [play.running() for _ in range(5)]
    inboxes = [Inbox() for _ in range(50)]

    async def story(hub: Hub) -> None:
        with ExitStack() as stack:
            for inbox in inboxes:
                stack.enter_context(hub.board.watch(inbox))
            await asyncio.to_thread(play.tell, jobs[2], epoch(1))
            told = await asyncio.gather(*[changes(inbox, count=1) for inbox in inboxes])
            assert [[change.job_id for change in found] for found in told] == [[jobs[2].id]] * 50
            assert all(found[0].json is told[0][0].json for found in told), "made into text once"
            assert counted.asked == {"pulse": 1, "jobs": 1}
            await asyncio.to_thread(play.tell, jobs[2], step(3, epoch=2))
            await changes(inboxes[0], count=1)
            assert counted.asked == {"pulse": 2, "jobs": 1}, "progress reads no whole job"

    run(counted, bell, story)


def test_rings_that_nobody_waits_for_cost_no_read(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job, other = play.running(), play.running()

    async def story(hub: Hub) -> None:
        await asyncio.to_thread(play.tell, job, epoch(1))
        with hub.board.watch(Inbox(frozenset({other.id}))):
            await asyncio.to_thread(play.tell, job, epoch(2))
            await asyncio.sleep(0.05)
        assert counted.asked["jobs"] == 0
        assert list(hub.board.journal.since(hub.board.journal.cursor(0)) or ()) == [job.id], "yet it is known"

    run(counted, bell, story)


@pytest.mark.parametrize("what", ["epoch", "end", "new", "step"])
def test_a_lost_ring_costs_at_most_a_poll(counted: CountedStore, bell: LocalWatchBell, play: Play, what: str) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        inbox = Inbox()
        with hub.board.watch(inbox):
            assert [change.job_id for change in await changes(inbox, count=1)] == [job.id], "the first poll tells it"
            news: dict[str, RunEvent] = {"epoch": epoch(1), "step": step(9), "end": finished()}
            if what == "new":
                expected = (await asyncio.to_thread(play.queued)).id
            else:
                expected = job.id
                await asyncio.to_thread(play.store.record, play.claims[job.id], [news[what]])
            (told,) = await changes(inbox, count=1)
            assert told.job_id == expected
            assert told.final == (what == "end")

    run(counted, bell, story, poll_s=0.05)


def test_where_rings_were_missed_all_read_again_and_named_jobs_are_looked_at(
    counted: CountedStore, bell: LocalWatchBell, play: Play
) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        everything, named = Inbox(), Inbox(frozenset({job.id}))
        cursor = hub.board.journal.cursor(hub.board.journal.position)
        with hub.watch_many(everything, {}), hub.watch_many(named, {job.id: job.version}):
            await asyncio.to_thread(play.store.record, play.claims[job.id], [epoch(1)])
            bell.ring(MISSED)
            assert (await everything.mail(within_s=10)).reset is not None
            found = [await named.mail(within_s=10), await named.mail(within_s=10)]
            assert [told.seq for mail in found for told in mail.events] == [job.version + 1]
            assert [change.job_id for mail in found for _, change in mail.changes] == [job.id]
        assert hub.board.journal.since(cursor) is None

    run(counted, bell, story)


def test_a_database_that_is_away_loses_nothing(counted: CountedStore, bell: LocalWatchBell, play: Play) -> None:
    job = play.running()

    async def story(hub: Hub) -> None:
        inbox = Inbox()
        with hub.board.watch(inbox):
            counted.failing = True
            await asyncio.to_thread(play.tell, job, epoch(1))
            assert await inbox.mail(within_s=0.2) == Mail()
            counted.failing = False
            assert [change.job_id for change in await changes(inbox, count=1)] == [job.id]

    run(counted, bell, story)


def test_who_leaves_too_much_is_told_to_read_again(
    store: Store, bell: LocalWatchBell, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.inbox.MOST_CHANGED", 3)
    jobs = [play.running() for _ in range(5)]

    async def story(hub: Hub) -> None:
        slow, named = Inbox(), Inbox(frozenset(job.id for job in jobs))
        with hub.board.watch(slow), hub.board.watch(named):
            for job in jobs:
                bell.ring(job.id)
            assert len(await changes(named, count=5)) == 5, "named ones are few by themselves"
            mail = await slow.mail(within_s=10)
        assert mail.reset is not None
        assert all(position > mail.reset for position, _ in mail.changes)
        assert len(mail.changes) == 1

    run(store, bell, story)


def test_a_flood_of_changes_is_told_in_parts(
    store: Store, bell: LocalWatchBell, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.board.AT_ONCE", 4)
    jobs = [play.queued() for _ in range(10)]

    async def story(hub: Hub) -> None:
        inbox = Inbox()
        with hub.board.watch(inbox):
            for job in jobs:
                bell.ring(job.id)
            assert [change.job_id for change in await changes(inbox, count=10)] == [job.id for job in jobs]

    run(store, bell, story)


def test_a_journal_tells_the_last_change_of_each_job_up_to_what_it_holds() -> None:
    journal = Journal(most=3)
    for job_id in ("a", "b", "a", "c"):
        journal.note(job_id)
    assert journal.since(journal.cursor(1)) == {"b": 2, "a": 3, "c": 4}
    assert journal.since(journal.cursor(3)) == {"c": 4}
    assert journal.since(journal.cursor(4)) == {}
    journal.note("d")
    assert journal.since(journal.cursor(1)) is None, "what changed at 2 is forgotten"
    assert journal.since(journal.cursor(2)) == {"a": 3, "c": 4, "d": 5}
    assert journal.since(journal.cursor(6)) is None
    assert journal.since(Journal().cursor(3)) is None
