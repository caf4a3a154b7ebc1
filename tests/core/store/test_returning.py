from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import Unavailable
from core.job import ErrorInfo, EventType, Reason, Status
from core.store import Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import (
    FINISHED,
    KILLED,
    HandClock,
    a_spec,
    a_worker,
    an_epoch,
)


def last_event(store: Store, job_id: str) -> tuple[str, Any]:
    event = store.events(job_id)[-1]
    return event.type.value, json.loads(event.data)


def test_a_drained_job_goes_back_to_the_queue_without_a_penalty(open_store: OpenStore) -> None:
    store = open_store(max_attempts=1)
    job = store.add(a_spec())
    for attempt in (1, 2, 3):
        claim = store.claim(a_worker())
        assert claim is not None
        assert claim.attempt == attempt
        assert store.release(claim) is Status.QUEUED
    back = store.job(job.id)
    assert (back.status_reason, back.worker, back.worker_device) == (Reason.WORKER_DRAINED, None, None)
    assert store.held("wk_node") == {}


def test_the_first_start_is_the_one_that_is_shown(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    started = store.job(job.id).started_at
    store.release(claim)
    store.claim(a_worker())
    assert store.job(job.id).started_at == started


def test_a_run_that_dies_is_started_five_times_and_then_fails_with_the_last_cause(
    open_timed: OpenStore, clock: HandClock
) -> None:
    store = open_timed()
    job = store.add(a_spec())
    statuses = []
    for _ in range(5):
        clock.passes(3600)
        claim = store.claim(a_worker())
        assert claim is not None
        statuses.append(store.release(claim, error=KILLED))
        if statuses[-1] is Status.QUEUED:
            waiting = store.job(job.id)
            assert (waiting.status_reason, waiting.error) == (Reason.KILLED_BY_SIGNAL, KILLED)
    assert statuses == [Status.QUEUED] * 4 + [Status.FAILED]
    failed = store.job(job.id)
    assert failed.status_reason is Reason.RETRY_LIMIT
    assert failed.error is not None
    assert failed.error.code == "retry_limit"
    assert KILLED.message in failed.error.message
    assert failed.error.hint == KILLED.hint
    assert store.claim(a_worker()) is None


def test_a_death_tells_its_cause_in_the_log(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.release(claim, error=KILLED)
    kind, data = last_event(store, job.id)
    assert (kind, data["status"], data["reason"], data["by"]) == ("status", "queued", "killed_by_signal", "worker")
    assert data["error"]["message"] == KILLED.message


def test_a_cause_that_is_no_reason_counts_as_an_internal_error(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.release(claim, error=ErrorInfo("odd", "What?"))
    assert store.job(job.id).status_reason is Reason.INTERNAL_ERROR


def test_a_lease_that_runs_out_brings_the_job_back(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    assert open_store().sweep() == [job.id]
    back = store.job(job.id)
    assert (back.status, back.status_reason, back.transitions[-1].by) == (
        Status.QUEUED,
        Reason.LEASE_EXPIRED,
        "service",
    )
    assert store.sweep() == []


def test_a_lease_that_runs_is_left_alone(store: Store) -> None:
    store.add(a_spec())
    store.claim(a_worker())
    assert store.sweep() == []


def test_a_database_that_hung_for_long_lets_no_lease_be_judged(
    open_timed: OpenStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer is right, but the other workers waited for theirs as well."""
    store = open_timed()
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    clock.passes(60)
    ticks = count(step=store._settings.late_s * 1.01)
    with monkeypatch.context() as hanging:
        hanging.setattr("core.store.sweeping.monotonic", lambda: next(ticks))
        with pytest.raises(Unavailable, match="was away until now"):
            store.sweep()
    assert store.held("wk_node")[job.id].attempt == claim.attempt
    assert store.sweep() == [job.id]


def test_a_job_whose_worker_is_lost_every_time_fails(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6, max_lost_workers=2, max_attempts=1)
    job = store.add(a_spec())
    for _ in range(2):
        assert store.claim(a_worker()) is not None
        assert store.sweep() == [job.id]
    failed = store.job(job.id)
    assert (failed.status, failed.status_reason) == (Status.FAILED, Reason.WORKER_LOST)
    assert failed.error is not None
    assert "2 times" in failed.error.message
    assert last_event(store, job.id)[0] == "end"


def test_a_job_that_was_to_be_cancelled_is_cancelled_when_its_worker_is_lost(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    job = store.add(a_spec())
    store.claim(a_worker())
    store.cancel(job.id)
    assert store.sweep() == [job.id]
    assert store.job(job.id).status is Status.CANCELLED


def test_a_service_that_starts_alone_takes_everything_back_at_once(store: Store) -> None:
    queued, running, cancelling, done = (store.add(a_spec(name=name)).id for name in ("q", "r", "c", "d"))
    store.enrol(a_worker())
    claims = {claim.job_id: claim for _ in range(4) if (claim := store.claim(a_worker()))}
    store.release(claims[queued])
    store.cancel(cancelling)
    store.record(claims[done], [FINISHED])
    assert sorted(store.recover()) == sorted([running, cancelling])
    statuses = [store.job(job_id).status for job_id in (queued, running, cancelling, done)]
    assert statuses == [Status.QUEUED, Status.QUEUED, Status.CANCELLED, Status.SUCCEEDED]
    assert store.workers() == []
    assert store.recover() == []


def test_a_worker_that_fell_silent_long_ago_is_forgotten(open_store: OpenStore) -> None:
    store = open_store(lease_s=0.5)
    store.enrol(a_worker())
    database = store._database
    hour = {"sqlite": "'2020-01-01T00:00:00.000000Z'"}.get(
        database.describe().partition(" ")[0].lower(), "now() - interval '1h'"
    )
    database.write(lambda tx: tx.conn.execute(text(f"UPDATE workers SET alive_until = {hour}")))
    store.sweep()
    assert database.read(lambda tx: tx.conn.scalar(text("SELECT count(*) FROM workers"))) == 0


def test_a_run_that_may_die_but_once_says_so(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6, max_lost_workers=1)
    job = store.add(a_spec())
    store.claim(a_worker())
    assert store.sweep() == [job.id]
    failed = store.job(job.id)
    assert failed.error is not None
    assert failed.error.message == "The run was started once, and its worker fell silent or died."


def test_latest_and_best_stay_and_progress_goes_when_a_run_starts_over(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.record(claim, [an_epoch(1, best=True)])
    store.release(claim, error=KILLED)
    back = store.job(job.id)
    assert back.progress is None
    assert back.latest == back.best
    assert back.latest is not None
    assert store.events(job.id, types=[EventType.EPOCH])
