"""What becomes of a job whose run came to no end of its own: when it is tried again, and when no more."""

from __future__ import annotations

import json

import pytest

from core.errors import ClaimLost
from core.events import Failed, Stopped
from core.job import Claim, ErrorInfo, Reason, Status
from core.store import Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import (
    FINISHED,
    KILLED,
    STARTED,
    HandClock,
    a_checkpoint,
    a_claim,
    a_spec,
    a_worker,
    an_epoch,
    failed,
    started,
)


def test_of_deaths_and_lost_workers_each_has_its_own_count(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(max_attempts=3, max_lost_workers=3)
    claim = started(store)
    for _ in range(2):
        store.release(claim, error=KILLED)
        clock.passes(60)
        a_claim(store)
        clock.passes(60)
        assert store.sweep() == [claim.job_id]
        claim = a_claim(store)
    assert store.release(claim, error=KILLED) is Status.FAILED


@pytest.mark.parametrize("how", ["epoch", "checkpoint"])
def test_progress_makes_lost_workers_count_no_more(open_timed: OpenStore, clock: HandClock, how: str) -> None:
    store = open_timed(max_lost_workers=2)
    claim = started(store)
    for number in range(1, 5):
        store.record(claim, [an_epoch(number) if how == "epoch" else a_checkpoint(claim, number)])
        clock.passes(60)
        assert store.sweep() == [claim.job_id]
        claim = a_claim(store)
    clock.passes(60)
    store.sweep()
    assert store.job(claim.job_id).status_reason is Reason.WORKER_LOST


def test_progress_makes_the_wait_for_space_short_again(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(backoff_s=1)
    claim = started(store)
    for number in range(1, 8):
        store.record(claim, [an_epoch(number)])
        assert store.record(claim, [failed(Reason.STORAGE_FULL)]) is Status.PAUSED
        clock.passes(1.3)  # twice as long would be 1.6 at the least
        assert store.sweep() == [claim.job_id]
        claim = a_claim(store)


def test_an_epoch_that_is_computed_again_is_no_progress(open_store: OpenStore) -> None:
    store = open_store(max_attempts=2)
    claim = started(store)
    store.record(claim, [an_epoch(1)])
    assert store.release(claim, error=KILLED) is Status.QUEUED
    claim = a_claim(store)
    store.record(claim, [an_epoch(1)])
    assert store.release(claim, error=KILLED) is Status.FAILED


def test_a_drain_is_no_death(open_store: OpenStore) -> None:
    store = open_store(max_attempts=2)
    claim = started(store)
    for _ in range(3):
        store.release(claim)
        claim = a_claim(store)
    assert store.release(claim, error=KILLED) is Status.QUEUED


def test_a_death_on_the_way_to_a_pause_counts(open_store: OpenStore) -> None:
    store = open_store(max_attempts=2)
    claim = started(store)
    store.pause(claim.job_id)
    assert store.release(claim, error=KILLED) is Status.PAUSED
    store.resume(claim.job_id)
    assert store.release(a_claim(store), error=KILLED) is Status.FAILED


def test_a_run_that_died_starts_again_at_once_the_first_time_then_later_and_later(
    open_timed: OpenStore, clock: HandClock
) -> None:
    store = open_timed(max_attempts=20, backoff_s=2)
    claim = started(store)
    for wait_s in (0, 2, 4, 8, 16, 32, 60, 60):
        store.release(claim, error=KILLED)
        if wait_s:
            clock.passes(wait_s * 0.79)
            assert store.claim(a_worker()) is None
            clock.passes(wait_s * 0.42)
        claim = a_claim(store)


def test_a_job_that_waits_for_its_next_try_lets_others_go_first(open_timed: OpenStore) -> None:
    store = open_timed()
    first = started(store)
    store.release(first, error=KILLED)
    store.release(a_claim(store), error=KILLED)
    other = store.add(a_spec())
    assert a_claim(store).job_id == other.id


def test_a_service_that_starts_waits_for_nothing(open_timed: OpenStore) -> None:
    store = open_timed()
    claim = started(store)
    store.release(claim, error=KILLED)
    store.release(a_claim(store), error=KILLED)
    assert store.claim(a_worker()) is None
    store.recover()
    assert a_claim(store).attempt == 3


def test_a_user_who_pauses_and_resumes_waits_for_nothing(open_timed: OpenStore) -> None:
    store = open_timed()
    claim = started(store)
    store.release(claim, error=KILLED)
    store.release(a_claim(store), error=KILLED)
    store.pause(claim.job_id)
    store.resume(claim.job_id)
    assert a_claim(store).attempt == 3


@pytest.mark.parametrize("reason", ["diverged", "invalid_data", "invalid_spec", "deadline_exceeded"])
@pytest.mark.parametrize("asked", ["nothing", "pause", "cancel"])
def test_what_another_try_would_not_change_is_final(store: Store, reason: str, asked: str) -> None:
    claim = started(store)
    if asked != "nothing":
        getattr(store, asked)(claim.job_id)
    expected = Status.CANCELLED if asked == "cancel" else Status.FAILED
    assert store.record(claim, [failed(Reason(reason))]) is expected
    job = store.job(claim.job_id)
    assert job.status_reason is (Reason.CANCELLED_BY_USER if asked == "cancel" else Reason(reason))
    assert (job.error is None) == (asked == "cancel")


@pytest.mark.parametrize("reason", ["internal_error", "killed_by_signal", "stalled", "out_of_memory"])
@pytest.mark.parametrize("way", ["record", "release"])
def test_what_another_try_may_change_is_tried_again(store: Store, reason: str, way: str) -> None:
    claim = started(store)
    last = failed(Reason(reason))
    back = store.record(claim, [last]) if way == "record" else store.release(claim, error=last.error)
    assert back is Status.QUEUED
    job = store.job(claim.job_id)
    assert (job.status_reason, job.error, job.worker) == (Reason(reason), last.error, None)
    told = store.events(job.id)[-1]
    data = json.loads(told.data)
    assert (told.type, data["reason"], data["error"]["code"]) == ("status", reason, reason)
    with pytest.raises(ClaimLost):
        store.record(claim, [an_epoch(1)])
    again = a_claim(store)
    assert store.job(job.id).error == last.error
    store.record(again, [an_epoch(1), FINISHED])
    assert store.job(job.id).error is None


def test_memory_that_ran_out_twice_without_progress_is_final(store: Store) -> None:
    short = failed(Reason.OUT_OF_MEMORY)
    claim = started(store)
    assert store.record(claim, [short]) is Status.QUEUED
    claim = a_claim(store)
    assert store.record(claim, [an_epoch(1), short]) is Status.QUEUED
    claim = a_claim(store)
    assert store.record(claim, [STARTED, short]) is Status.FAILED
    job = store.job(claim.job_id)
    assert (job.status_reason, job.error) == (Reason.OUT_OF_MEMORY, short.error)


@pytest.mark.parametrize("error", [None, KILLED, failed(Reason.STORAGE_FULL).error, failed(Reason.OUT_OF_MEMORY).error])
def test_a_pausing_run_that_ends_is_paused_however_it_ended(store: Store, error: ErrorInfo | None) -> None:
    claim = started(store)
    store.pause(claim.job_id)
    assert store.record(claim, [a_checkpoint(claim, 0, 3), Stopped()]) is Status.PAUSING
    if error is None:
        assert store.release(claim) is Status.PAUSED
    else:
        assert store.record(claim, [Failed(Reason(error.code), error)]) is Status.PAUSED
    job = store.job(claim.job_id)
    assert (job.status_reason, job.error) == (Reason.PAUSED_BY_USER, error)


def test_a_pausing_run_whose_worker_is_lost_is_paused(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    claim = started(store)
    store.pause(claim.job_id)
    clock.passes(60)
    assert store.sweep() == [claim.job_id]
    job = store.job(claim.job_id)
    assert (job.status, job.transitions[-1].by) == (Status.PAUSED, "service")


def full(store: Store, claim: Claim) -> None:
    assert store.record(claim, [failed(Reason.STORAGE_FULL)]) is Status.PAUSED


def test_a_job_without_space_waits_until_there_is_some(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed(max_attempts=2, backoff_s=1)
    claim = started(store)
    for wait_s in (1, 2, 4, 8, 16, 32, 60):
        full(store, claim)
        job = store.job(claim.job_id)
        assert (job.status_reason, job.worker) == (Reason.STORAGE_FULL, None)
        assert job.error is not None
        clock.passes(wait_s * 0.79)
        assert store.sweep() == []
        clock.passes(wait_s * 0.42)
        assert store.sweep(has_space=False) == []
        assert store.sweep() == [claim.job_id]
        back = store.job(claim.job_id)
        assert (back.status, back.status_reason, back.transitions[-1].by) == (Status.QUEUED, None, "service")
        claim = a_claim(store)
    store.record(claim, [an_epoch(1), FINISHED])


def test_a_user_may_let_a_job_without_space_go_on_or_keep_it_paused(open_timed: OpenStore, clock: HandClock) -> None:
    store = open_timed()
    claim = started(store)
    full(store, claim)
    assert store.resume(claim.job_id).status is Status.QUEUED
    full(store, a_claim(store))
    kept = store.pause(claim.job_id)
    assert (kept.status, kept.status_reason) == (Status.PAUSED, Reason.PAUSED_BY_USER)
    assert store.pause(claim.job_id) == kept
    clock.passes(3600)
    assert store.sweep() == []


def test_the_next_start_of_the_service_looks_for_space_at_once(open_timed: OpenStore) -> None:
    store = open_timed(backoff_s=60)
    claim = started(store)
    full(store, claim)
    assert store.sweep() == []
    store.recover()
    assert store.sweep() == [claim.job_id]


def test_the_time_that_all_attempts_ran_is_kept(store: Store) -> None:
    claim = started(store)
    assert claim.run_s == 0
    store.beat(a_worker(), [(claim, 2.5)])
    store.release(claim, run_s=3.5)
    claim = a_claim(store)
    assert claim.run_s == 3.5
    store.release(claim)
    assert a_claim(store).run_s == 3.5
