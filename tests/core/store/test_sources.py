"""Jobs that others start from: their weights are found, and stay while they are needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.errors import Gone, NotFound, SpecRefused, WrongStatus
from core.job import Reason, Status
from core.starting import WEIGHTS
from core.store import Fork, Retry, Store, Submit, tidying
from core.store.needing import NAMED_JOBS
from tests.core.store.conftest import OpenStore
from tests.core.store.making import FINISHED, STARTED, HandClock, a_claim, a_spec, an_epoch, failed, started, told
from tests.core.store.test_datasets import added


class StartingFrom:
    """A sound spec that starts from weights, as the store sees it."""

    def __init__(self, **init: Any) -> None:
        self.whole = a_spec().model_dump(mode="json") | {"init_from": {"job": None, "upload": None, **init}}

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        assert mode == "json"
        return self.whole


def starting_from(**init: Any) -> Any:
    return StartingFrom(**init)


def succeeded(store: Store) -> str:
    claim = started(store)
    store.record(claim, [STARTED, an_epoch(1), FINISHED])
    return claim.job_id


def test_what_a_job_left_is_found_with_the_count_of_its_parameters(store: Store) -> None:
    left = store.find_left(succeeded(store))
    assert (left.status, left.parameters) == (Status.SUCCEEDED, STARTED.parameters)
    assert left.file is not None
    assert (left.file.name, left.file.path, left.file.sha256) == (WEIGHTS, "j/1/model.safetensors", "ab")


def test_of_a_job_that_has_left_nothing_its_status_is_told(store: Store) -> None:
    waiting = store.find_left(store.add(a_spec()).id)
    assert (waiting.status, waiting.file, waiting.parameters) == (Status.QUEUED, None, None)
    with pytest.raises(NotFound):
        store.find_left("job_x")
    source = succeeded(store)
    store.delete(source)
    with pytest.raises(Gone):
        store.find_left(source)


def test_a_job_stays_while_another_that_has_not_ended_starts_from_it(store: Store) -> None:
    source = succeeded(store)
    job = store.add(starting_from(job=source))
    other = store.add(starting_from(job=source))
    with pytest.raises(WrongStatus, match=f"its weights are needed by {job.id}, {other.id}\\."):
        store.delete(source)
    store.cancel(other.id)
    claim = a_claim(store)
    with pytest.raises(WrongStatus, match=f"needed by {job.id}\\."):
        store.delete(source)
    store.record(claim, [an_epoch(1), FINISHED])
    store.delete(source)
    store.delete(source)
    store.delete(job.id)


def test_an_upload_stays_while_a_job_starts_from_it(store: Store) -> None:
    weights = added(store, 1)
    job = store.add(starting_from(upload=weights.id))
    with pytest.raises(WrongStatus, match=job.id):
        store.remove_dataset(weights.id)
    store.cancel(job.id)
    assert store.remove_dataset(weights.id) == weights.sha256
    with pytest.raises(SpecRefused, match=r"/init_from/upload.*was deleted"):
        store.create(Submit(starting_from(upload=weights.id)), told=told)


def test_a_job_that_starts_from_one_that_is_gone_is_refused_and_leaves_nothing(store: Store) -> None:
    source = succeeded(store)
    store.delete(source)
    for ghost, words in ((source, "was deleted"), ("job_unknown", "There is no job")):
        with pytest.raises(SpecRefused, match=f"/init_from/job: .*{words}"):
            store.create(Submit(starting_from(job=ghost)), told=told)
    assert sum(store.counts().values()) == 0


def test_retries_and_forks_need_the_weights_too(store: Store) -> None:
    source = succeeded(store)
    job = store.add(starting_from(job=source))
    store.record(a_claim(store), [an_epoch(1), failed(Reason.DIVERGED)])
    for wish in (Retry(job.id), Fork(job.id, 1, starting_from(job=source))):
        made = store.create(wish, told=told).job_id
        with pytest.raises(WrongStatus, match=made):
            store.delete(source)
        store.cancel(made)
    store.delete(source)
    with pytest.raises(SpecRefused, match="/init_from/job"):
        store.create(Retry(job.id), told=told)


def test_only_some_of_many_jobs_are_named(store: Store) -> None:
    source = succeeded(store)
    ids = [store.add(starting_from(job=source)).id for _ in range(NAMED_JOBS + 1)]
    with pytest.raises(WrongStatus, match=f"{ids[NAMED_JOBS - 1]} and others"):
        store.delete(source)


@pytest.mark.parametrize("kept", [{"keep_jobs": 1}, {"keep_jobs_s": 100}])
def test_retention_leaves_a_job_until_nobody_needs_its_weights(
    open_timed: OpenStore, clock: HandClock, kept: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "AT_ONCE", 1)  # what is needed must not stand in the way of the rest
    store = open_timed(**kept)
    before, source, behind = (succeeded(store) for _ in range(3))
    waiting = store.add(starting_from(job=source))
    clock.passes(101)
    last = succeeded(store)
    assert {*store.tidy_up(), *store.tidy_up()} == {before, behind}
    assert store.known_jobs([before, source, behind, last]) == {source, last}
    store.cancel(waiting.id)
    assert source in [*store.tidy_up(), *store.tidy_up()]


def test_retention_and_a_job_that_comes_to_need_the_weights_never_both_succeed(open_timed: OpenStore) -> None:
    store = open_timed(keep_jobs=1)
    for _ in range(8):
        source, last = succeeded(store), succeeded(store)
        with ThreadPoolExecutor(2) as threads:
            asked = threads.submit(store.add, starting_from(job=source))
            gone = source in threads.submit(store.tidy_up).result()
        assert gone == isinstance(asked.exception(), SpecRefused)
        assert store.known_jobs([source, last]) == ({last} if gone else {source, last})
        if not gone:
            store.cancel(asked.result().id)
            store.delete(asked.result().id)
        store.tidy_up()


def test_a_job_and_the_deletion_of_what_it_starts_from_never_both_succeed(store: Store) -> None:
    for _ in range(8):
        source = succeeded(store)
        with ThreadPoolExecutor(2) as threads:
            asked = threads.submit(store.add, starting_from(job=source))
            gone = threads.submit(store.delete, source)
            outcomes = [type(one.exception()) for one in (asked, gone)]
        assert outcomes in ([type(None), WrongStatus], [SpecRefused, type(None)])
        if outcomes[0] is type(None):
            store.cancel(asked.result().id)
