"""What is deleted without being asked for: nothing, unless the settings say so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from core.job import Reason, Status
from core.store import Fork, Retry, Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import (
    FINISHED,
    HandClock,
    a_checkpoint,
    a_claim,
    a_spec,
    an_epoch,
    failed,
    started,
    told,
)


def ended(store: Store) -> str:
    claim = started(store)
    store.record(claim, [an_epoch(1), a_checkpoint(claim, 1), FINISHED])
    return claim.job_id


def there(store: Store, ids: list[str]) -> list[str]:
    known = store.known_jobs(ids)
    return [job_id for job_id in ids if job_id in known]


def test_nothing_goes_by_itself(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    ids = [ended(store) for _ in range(5)]
    clock.passes(10**9)
    assert store.tidy_up() == []
    assert there(store, ids) == ids
    assert all(store.checkpoints(job_id) for job_id in ids)


def test_the_newest_ended_jobs_are_kept_and_what_has_not_ended_does_not_count(open_timed: OpenStore) -> None:
    store = open_timed(keep_jobs=2)
    running = started(store).job_id
    ids = [ended(store) for _ in range(5)]
    queued = store.add(a_spec()).id
    paused = store.pause(store.add(a_spec()).id).id
    assert store.tidy_up() == ids[:3]
    assert there(store, [running, *ids, queued, paused]) == [running, *ids[3:], queued, paused]
    assert store.tidy_up() == []


def test_a_job_that_ended_last_is_kept_however_long_ago_it_was_submitted(
    open_timed: OpenStore, clock: HandClock
) -> None:
    store = open_timed(keep_jobs=2)
    long = started(store)
    short = [ended(store) for _ in range(3)]
    clock.passes(3600)
    store.record(long, [an_epoch(1), FINISHED])
    assert store.tidy_up() == short[:2]
    assert there(store, [long.job_id, *short]) == [long.job_id, short[2]]


def test_an_ended_job_goes_when_it_is_old_with_all_it_had(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(keep_jobs_s=100)
    running = started(store).job_id
    old = ended(store)
    clock.passes(60)
    young = ended(store)
    clock.passes(60)
    assert store.tidy_up() == [old]
    assert there(store, [running, old, young]) == [running, young]
    assert (store.events(old), store.epochs(old), store.checkpoints(old), store.artifacts(old)) == ([], [], [], [])


def test_the_checkpoints_of_an_ended_job_may_go_before_it(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(keep_checkpoints_s=100)
    old = ended(store)
    clock.passes(101)
    running = started(store)
    store.record(running, [a_checkpoint(running, 1)])
    assert store.tidy_up() == [old]
    assert store.checkpoints(old) == []
    assert store.job(old).status is Status.SUCCEEDED
    assert len(store.checkpoints(running.job_id)) == 1
    assert store.tidy_up() == []


def test_whose_files_a_deleted_fork_used_is_told_too(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(keep_jobs_s=100)
    parent = started(store)
    store.record(parent, [an_epoch(1), a_checkpoint(parent, 1), failed(Reason.DIVERGED)])
    store.create(Fork(parent.job_id, 1, a_spec()), told=told)
    child = a_claim(store)
    store.record(child, [FINISHED])
    again = store.create(Retry(parent.job_id), told=told).job_id
    store.delete(parent.job_id)
    clock.passes(101)
    assert sorted(store.tidy_up()) == sorted([parent.job_id, child.job_id])
    assert store.named_checkpoints(parent.job_id) == {each.path for each in store.checkpoints(again)}


def test_of_many_that_tidy_up_at_once_each_job_is_told_by_one(open_timed: OpenStore) -> None:
    store = open_timed(keep_jobs=1)
    ids = [ended(store) for _ in range(20)]
    with ThreadPoolExecutor(4) as threads:
        gone = list(threads.map(lambda _: store.tidy_up(), range(4)))
    assert sorted(chain.from_iterable(gone)) == ids[:-1]
    assert there(store, ids) == ids[-1:]
