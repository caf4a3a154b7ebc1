"""Idempotency-Keys: one key, one job, one answer."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat

import pytest

from core.errors import KeyReused, SpecRefused
from core.job import Job, Reason, Status
from core.store import Created, Fork, JobQuery, Once, Retry, Store, Submit, Wish
from tests.core.store.conftest import OpenStore
from tests.core.store.making import (
    FINISHED,
    HandClock,
    a_claim,
    a_spec,
    a_worker,
    an_epoch,
    failed,
    settings,
    started,
    told,
)

ONCE = Once("key", "request")


def submit(store: Store, once: Once | None = ONCE) -> Created:
    return store.create(Submit(a_spec()), told=told, once=once)


def submit_from(url: str) -> list[Created]:
    store = Store.open(url, settings=settings())
    try:
        return submit_at_once(store)
    finally:
        store.close()


def submit_at_once(store: Store) -> list[Created]:
    with ThreadPoolExecutor(50) as threads:
        return list(threads.map(submit, repeat(store, 50)))


def check_one_job(store: Store, made: list[Created]) -> None:
    [job] = store.jobs(JobQuery()).rows
    assert {(each.job_id, each.text, each.version, each.queue) for each in made} == {
        (job.id, f"{job.id} queued 1 worker", 1, None)
    }
    assert sum(not each.replayed for each in made) == 1


def test_a_job_without_a_key_is_a_job_of_its_own(store: Store) -> None:
    store.enrol(a_worker())
    first, second = submit(store, None), submit(store, None)
    assert first.text == f"{first.job_id} queued 1 None"
    assert second.text == f"{second.job_id} queued 2 None"
    assert not second.replayed


def test_fifty_at_once_make_one_job_and_get_one_answer(store: Store) -> None:
    check_one_job(store, submit_at_once(store))


def test_fifty_at_once_in_each_of_four_processes_make_one_job(
    postgres_url: str, processes: ProcessPoolExecutor
) -> None:
    made = [each for made in processes.map(submit_from, repeat(postgres_url, 4)) for each in made]
    store = Store.open(postgres_url, settings=settings())
    check_one_job(store, made)
    store.close()


def test_the_answer_stays_whatever_becomes_of_the_job(store: Store) -> None:
    first = submit(store)
    store.record(a_claim(store), [FINISHED])
    again = submit(store)
    assert again == Created(first.job_id, None, first.text, first.version, replayed=True)
    store.delete(first.job_id)
    assert submit(store).text == first.text


def test_another_request_under_the_same_key_is_refused(store: Store) -> None:
    submit(store)
    with pytest.raises(KeyReused, match="key"):
        submit(store, Once("key", "another"))
    assert len(store.jobs(JobQuery()).rows) == 1


def test_a_key_whose_request_was_refused_is_free(store: Store) -> None:
    parent = started(store)
    with pytest.raises(SpecRefused):
        store.create(Fork(parent.job_id, 7, a_spec()), told=told, once=ONCE)
    store.record(parent, [an_epoch(epoch) for epoch in range(1, 8)])
    assert not store.create(Fork(parent.job_id, 7, a_spec()), told=told, once=ONCE).replayed


def test_an_answer_that_cannot_be_told_makes_no_job_and_takes_no_key(store: Store) -> None:
    def fail(job: Job, position: int | None, waiting_for: str | None) -> str:
        message = f"no words for {job.id} {position} {waiting_for}"
        raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError):
        store.create(Submit(a_spec()), told=fail, once=ONCE)
    assert store.jobs(JobQuery()).rows == ()
    assert not submit(store).replayed


def test_forks_and_retries_are_made_once_too(store: Store) -> None:
    parent = started(store)
    store.record(parent, [an_epoch(1), failed(Reason.DIVERGED)])
    wishes: list[Wish] = [Fork(parent.job_id, 1, a_spec()), Retry(parent.job_id)]
    for number, wish in enumerate(wishes):
        once = Once(f"key {number}", "request")
        first, second = (store.create(wish, told=told, once=once) for _ in range(2))
        assert (first.job_id, first.text) == (second.job_id, second.text)
        assert (first.replayed, second.replayed) == (False, True)
    assert store.counts()[Status.QUEUED] == 2


def test_the_queue_to_wake_is_told_again(store: Store) -> None:
    spec = a_spec(resources={"queue": "gpu"})
    made = [store.create(Submit(spec), told=told, once=ONCE) for _ in range(2)]
    assert [each.queue for each in made] == ["gpu", "gpu"]


def test_a_key_is_kept_for_a_day(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    first = submit(store)
    clock.passes(24 * 3600 - 1)
    store.tidy_up()
    assert submit(store).replayed
    clock.passes(2)
    store.tidy_up()
    assert submit(store).job_id != first.job_id
