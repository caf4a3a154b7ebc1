"""What users do with a job, in every status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import Gone, NotFound, WrongStatus
from core.events import Logged
from core.job import Claim, Event, EventType, Job, Reason, Status
from core.store import Held, JobQuery, Store
from tests.core.store.life_model import VERBS
from tests.core.store.making import (
    FINISHED,
    STARTED,
    a_checkpoint,
    a_claim,
    a_spec,
    a_worker,
    an_epoch,
    failed,
    started,
)

Bring = Callable[[Store], str]


def queued(store: Store) -> str:
    return store.add(a_spec()).id


def running(store: Store) -> str:
    return started(store).job_id


def pausing(store: Store) -> str:
    return store.pause(running(store)).id


def paused(store: Store) -> str:
    return store.pause(queued(store)).id


def cancelling(store: Store) -> str:
    return store.cancel(running(store)).id


def succeeded(store: Store) -> str:
    claim = started(store)
    store.record(claim, [FINISHED])
    return claim.job_id


def failed_for_good(store: Store) -> str:
    claim = started(store)
    store.record(claim, [failed(Reason.DIVERGED)])
    return claim.job_id


def cancelled(store: Store) -> str:
    return store.cancel(queued(store)).id


BRING: dict[Status, Bring] = {
    Status.QUEUED: queued,
    Status.RUNNING: running,
    Status.PAUSING: pausing,
    Status.PAUSED: paused,
    Status.CANCELLING: cancelling,
    Status.SUCCEEDED: succeeded,
    Status.FAILED: failed_for_good,
    Status.CANCELLED: cancelled,
}
AFTER = {verb: table for verb, table in VERBS.items() if verb != "force"}


@pytest.mark.parametrize("verb", list(AFTER))
@pytest.mark.parametrize("status", list(Status))
def test_a_verb_leads_where_the_table_says_and_may_be_repeated(store: Store, verb: str, status: Status) -> None:
    job_id = BRING[status](store)
    before = store.job(job_id)
    assert before.status is status
    act = getattr(store, verb)
    expected = AFTER[verb].get(status)
    if expected is None:
        with pytest.raises(WrongStatus, match=status):
            act(job_id)
        assert store.job(job_id) == before
        return
    after: Job = act(job_id)
    assert after.status is expected
    assert after.version == before.version + (expected is not status)
    assert act(job_id) == after
    assert store.job(job_id) == after
    if expected is not status:
        assert (after.transitions[-1].status, after.transitions[-1].by) == (expected, "user")
        assert after.transitions[-1].reason is after.status_reason


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "delete", "job"])
def test_an_unknown_job_is_not_found(store: Store, verb: str) -> None:
    with pytest.raises(NotFound, match="job_0"):
        getattr(store, verb)("job_0")


def test_a_paused_job_is_neither_claimed_nor_swept_until_it_is_resumed(store: Store) -> None:
    job_id = paused(store)
    assert store.claim(a_worker()) is None
    assert store.sweep() == []
    assert store.recover() == []
    assert [job.id for job in store.jobs(JobQuery(statuses=[Status.PAUSED])).rows] == [job_id]
    assert store.counts()[Status.PAUSED] == 1
    assert store.resume(job_id).status_reason is None
    assert a_claim(store).job_id == job_id


def test_a_running_job_that_is_paused_keeps_its_checkpoint_and_frees_its_worker(store: Store) -> None:
    claim = started(store)
    store.record(claim, [STARTED, an_epoch(1)])
    assert store.pause(claim.job_id).status_reason is Reason.PAUSED_BY_USER
    assert store.record(claim, [a_checkpoint(claim, 1, 3)]) is Status.PAUSING
    assert store.release(claim, run_s=7.5) is Status.PAUSED
    job = store.job(claim.job_id)
    assert (job.status_reason, job.worker, job.error, job.progress) == (Reason.PAUSED_BY_USER, None, None, None)
    assert [each.by for each in job.transitions] == ["user", "worker", "user", "worker"]
    store.resume(claim.job_id)
    again = a_claim(store)
    assert (again.attempt, again.run_s) == (2, 7.5)
    assert [(each.epoch, each.step) for each in again.checkpoints] == [(1, 3)]


def test_a_pausing_job_that_finishes_first_has_succeeded(store: Store) -> None:
    claim = started(store)
    store.pause(claim.job_id)
    assert store.record(claim, [FINISHED]) is Status.SUCCEEDED


def test_a_pause_that_was_taken_back_lets_the_run_go_on(store: Store) -> None:
    claim = started(store)
    store.pause(claim.job_id)
    assert store.resume(claim.job_id).status is Status.RUNNING
    assert store.record(claim, [an_epoch(1)]) is Status.RUNNING
    assert store.release(claim, reason=None) is Status.QUEUED
    assert store.job(claim.job_id).status_reason is None


def test_force_asks_for_a_kill_also_of_a_job_that_is_being_cancelled(store: Store) -> None:
    at_once, later = started(store), started(store)
    store.cancel(at_once.job_id, force=True)
    before = store.cancel(later.job_id)
    assert {each.forced for each in store.held("wk_node").values()} == {True, False}
    assert store.cancel(later.job_id, force=True) == before
    assert store.cancel(later.job_id) == before
    assert store.held("wk_node") == {
        claim.job_id: Held(attempt=1, status=Status.CANCELLING, forced=True) for claim in (at_once, later)
    }
    assert store.release(later) is Status.CANCELLED
    assert store.cancel(later.job_id, force=True).status is Status.CANCELLED


@pytest.mark.parametrize("status", [status for status in Status if not status.ended])
def test_a_job_that_has_not_ended_is_not_deleted(store: Store, status: Status) -> None:
    job_id = BRING[status](store)
    with pytest.raises(WrongStatus, match=status):
        store.delete(job_id)
    assert store.job(job_id).status is status


@pytest.mark.parametrize("status", [status for status in Status if status.ended])
def test_a_deleted_job_is_gone_with_all_its_rows_and_for_good(store: Store, status: Status) -> None:
    other, job_id = queued(store), BRING[status](store)
    store.delete(job_id)
    store.delete(job_id)
    for look in (store.job, store.pause, store.resume, store.cancel):
        with pytest.raises(Gone, match=job_id):
            look(job_id)
    with pytest.raises(Gone):
        store.artifact(job_id, "model.safetensors")
    assert (store.pulse([job_id]), store.events(job_id), store.checkpoints(job_id)) == ({}, [], [])
    assert [job.id for job in store.jobs(JobQuery()).rows] == [other]
    assert store.known_jobs([other, job_id, "job_0"]) == {other}
    assert store.deleted_jobs([other, job_id, "job_0"]) == {job_id}


def test_deleting_leaves_no_row_behind(store: Store) -> None:
    claim = started(store, labels={"team": "a"})
    store.record(claim, [an_epoch(1), a_checkpoint(claim, 1), Logged(("x",)), FINISHED])
    store.delete(claim.job_id)
    tables = ("events", "epochs", "artifacts", "checkpoints", "job_labels", "jobs")
    counts = store._database.read(
        lambda tx: [tx.conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in tables]
    )
    assert counts == [0] * len(tables)


def ends(events: list[Event]) -> int:
    return sum(event.type is EventType.END for event in events)


def test_every_ended_job_tells_its_end_once(store: Store) -> None:
    for status, bring in BRING.items():
        assert ends(store.events(bring(store))) == status.ended


def test_whoever_acts_is_named(store: Store) -> None:
    claim: Claim = started(store)
    store.pause(claim.job_id, by="service")
    assert store.job(claim.job_id).transitions[-1].by == "service"
