from __future__ import annotations

import json

import pytest

from core.errors import NotFound, WrongStatus
from core.events import Failed, Finished
from core.job import ErrorInfo, EventType, Reason, Status
from core.store import JobQuery, Store
from tests.core.store.making import FINISHED, a_spec, a_worker


def test_a_job_that_was_added_is_read_back_as_it_was_told(store: Store) -> None:
    job = store.add(a_spec(labels={"team": "a"}, priority=3, resources={"queue": "cpu"}, seed=7))
    assert store.job(job.id) == job
    assert (job.status, job.version, job.attempt, job.queue, job.device) == (Status.QUEUED, 1, 0, "cpu", "auto")
    assert job.labels == {"team": "a"}
    assert job.spec == a_spec(labels={"team": "a"}, priority=3, resources={"queue": "cpu"}, seed=7).model_dump(
        mode="json"
    )


def test_the_first_event_of_a_job_says_that_it_is_queued(store: Store) -> None:
    job = store.add(a_spec())
    [event] = store.events(job.id)
    assert (event.seq, event.type, event.at) == (1, EventType.STATUS, job.created_at)
    assert json.loads(event.data) == {"status": "queued", "reason": None, "by": "user"}
    assert [(each.status, each.by) for each in job.transitions] == [(Status.QUEUED, "user")]


def test_an_unknown_job_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="job_0"):
        store.job("job_0")
    with pytest.raises(NotFound):
        store.cancel("job_0")


def test_a_queued_job_is_cancelled_at_once_and_for_good(store: Store) -> None:
    job = store.cancel(store.add(a_spec()).id)
    assert (job.status, job.status_reason) == (Status.CANCELLED, Reason.CANCELLED_BY_USER)
    assert job.finished_at is not None
    [_, end] = store.events(job.id)
    assert end.type is EventType.END
    assert json.loads(end.data) == {"status": "cancelled", "reason": "cancelled_by_user", "by": "user"}
    assert store.claim(a_worker()) is None


def test_cancelling_twice_changes_nothing_more(store: Store) -> None:
    job = store.cancel(store.add(a_spec()).id)
    assert store.cancel(job.id) == job


def test_a_running_job_is_asked_to_stop_and_ends_when_its_worker_says_so(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    assert store.cancel(job.id).status is Status.CANCELLING
    assert store.cancel(job.id).version == 3
    assert store.held("wk_node") == {job.id: (1, Status.CANCELLING, False)}
    assert store.release(claim) is Status.CANCELLED
    assert [each.by for each in store.job(job.id).transitions] == ["user", "worker", "user", "worker"]


def test_a_cancelling_job_that_finishes_first_has_succeeded(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.cancel(job.id)
    assert store.record(claim, [Finished(Reason.COMPLETED, ())]) is Status.SUCCEEDED


def test_a_cancelling_job_that_fails_is_cancelled(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.cancel(job.id)
    assert store.record(claim, [Failed(Reason.DIVERGED, ErrorInfo("diverged", "NaN"))]) is Status.CANCELLED
    assert store.job(job.id).error is None


@pytest.mark.parametrize("last", [FINISHED, Failed(Reason.DIVERGED, ErrorInfo("diverged", "The cost is NaN."))])
def test_a_job_that_ended_by_itself_cannot_be_cancelled(store: Store, last: Finished | Failed) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    status = store.record(claim, [last])
    with pytest.raises(WrongStatus, match=status):
        store.cancel(job.id)
    assert store.job(job.id).status is status


def test_odd_words_are_kept_as_they_are(store: Store) -> None:
    name = "Ünïcode ☃ 'quoted' \"twice\" \\ %s :x"
    job = store.add(a_spec(name=name, labels={"k": name}))
    assert store.job(job.id).name == name
    assert [found.id for found in store.jobs(JobQuery(labels={"k": name})).rows] == [job.id]
