from __future__ import annotations

import pytest

from core.job import Claim, Status
from core.store import Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import FINISHED, a_spec, a_worker


def claimed(store: Store, **fields: object) -> str | None:
    claim = store.claim(a_worker(**fields))  # type: ignore[arg-type]
    return claim.job_id if claim is not None else None


def test_a_claim_starts_the_job_and_carries_its_spec(store: Store) -> None:
    job = store.add(a_spec(resources={"device": "cpu"}))
    claim = store.claim(a_worker())
    assert claim == Claim(job_id=job.id, attempt=1, spec=job.spec, device="cpu")
    running = store.job(job.id)
    assert (running.status, running.worker, running.attempt, running.version) == (Status.RUNNING, "node", 1, 2)
    assert running.started_at is not None
    assert [each.status for each in running.transitions] == [Status.QUEUED, Status.RUNNING]
    assert store.held("wk_node") == {job.id: (1, Status.RUNNING, False)}


def test_an_empty_queue_gives_no_claim(store: Store) -> None:
    assert claimed(store) is None


def test_the_highest_priority_goes_first_then_the_oldest(store: Store) -> None:
    ids = [store.add(a_spec(priority=priority)).id for priority in (0, 5, -5, 5, 0)]
    assert [claimed(store) for _ in range(6)] == [ids[1], ids[3], ids[0], ids[4], ids[2], None]


def test_a_job_with_a_queue_waits_for_a_worker_that_serves_it(store: Store) -> None:
    gpu = store.add(a_spec(resources={"queue": "gpu"})).id
    anywhere = store.add(a_spec()).id
    assert [claimed(store) for _ in range(2)] == [anywhere, None]
    assert claimed(store, queues=("gpu",)) == gpu


@pytest.mark.parametrize(("asked", "takes"), [("cuda", True), ("cuda:1", True), ("cuda:2", False), ("mps", False)])
def test_a_job_that_asks_for_a_device_waits_for_a_worker_that_has_it(store: Store, asked: str, takes: bool) -> None:
    job = store.add(a_spec(resources={"device": asked})).id
    assert claimed(store) is None
    assert claimed(store, devices=("cuda:0", "cuda:1")) == (job if takes else None)


def test_a_slot_with_one_device_takes_no_job_for_another(store: Store) -> None:
    job = store.add(a_spec(resources={"device": "cuda:1"})).id
    worker = a_worker(devices=("cuda:0", "cuda:1"))
    assert store.claim(worker, device="cuda:0") is None
    claim = store.claim(worker, device="cuda:1")
    assert claim is not None
    assert claim.job_id == job


def test_the_position_counts_those_that_go_first(store: Store) -> None:
    jobs = [store.add(a_spec(priority=priority)) for priority in (0, 5, 0)]
    gpu = store.add(a_spec(resources={"queue": "gpu"}))
    cpu = store.add(a_spec(resources={"queue": "cpu"}))
    assert [store.position(job) for job in (*jobs, gpu, cpu)] == [2, 1, 3, 4, 4]
    assert [store.places().get(job.id) for job in (*jobs, gpu, cpu)] == [2, 1, 3, 4, 4]
    assert [store.places(most=2).get(job.id) for job in (*jobs, gpu, cpu)] == [2, 1, None, None, None]
    store.claim(a_worker())
    assert store.position(store.job(jobs[1].id)) is None
    assert store.position(jobs[0]) == 1


def test_a_beat_keeps_the_lease_and_shows_the_worker(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    worker = a_worker(devices=("cpu", "cuda:0"))
    job = store.add(a_spec())
    claim = store.claim(worker)
    assert claim is not None
    patient = open_store(lease_s=60)
    patient.beat(worker, [(claim, 1.5)])
    assert store.sweep() == []
    [seen] = store.workers()
    assert (seen.id, seen.devices, seen.slots, seen.queues) == (worker.id, worker.devices, 2, ("cpu",))
    assert seen.jobs == (job.id,)
    assert seen.heartbeat_at is not None
    store.release(claim)
    again = store.claim(worker)
    assert again is not None
    assert again.run_s == 1.5


def test_a_beat_does_not_keep_a_claim_that_is_over(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    store.add(a_spec())
    first = store.claim(a_worker("first"))
    assert first is not None
    store.sweep()
    second = store.claim(a_worker("second"))
    assert second is not None
    open_store(lease_s=60).beat(a_worker("first"), [(first, 1.5)])
    assert store.sweep() == [second.job_id]


def test_a_worker_is_alive_from_enrolment_until_it_retires_or_falls_silent(open_store: OpenStore) -> None:
    store = open_store()
    store.enrol(a_worker("one"))
    store.enrol(a_worker("two"))
    open_store(lease_s=1e-6).beat(a_worker("two"), [])
    assert [worker.name for worker in store.workers()] == ["one"]
    store.retire("wk_one")
    assert store.workers() == []
    store.beat(a_worker("two"), [])
    assert [worker.name for worker in store.workers()] == ["two"]


def test_a_queued_job_says_what_no_live_worker_offers(store: Store) -> None:
    plain = store.add(a_spec())
    gpu = store.add(a_spec(resources={"queue": "gpu"}))
    cuda = store.add(a_spec(resources={"device": "cuda"}))
    assert [store.waiting_for(job) for job in (plain, gpu, cuda)] == ["worker", "gpu", "worker"]
    store.enrol(a_worker("cpu"))
    assert [store.waiting_for(job) for job in (plain, gpu, cuda)] == [None, "gpu", "cuda"]
    store.enrol(a_worker("gpu", devices=("cuda:0",), queues=("gpu",)))
    assert [store.waiting_for(job) for job in (plain, gpu, cuda)] == [None, None, None]


def test_a_job_that_waits_for_nothing_has_no_place_in_a_queue(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None
    store.record(claim, [FINISHED])
    assert (store.position(store.job(job.id)), store.waiting_for(store.job(job.id))) == (None, None)


def test_counts_name_every_status(store: Store) -> None:
    for _ in range(3):
        store.add(a_spec())
    store.claim(a_worker())
    counts = store.counts()
    assert set(counts) == set(Status)
    assert (counts[Status.QUEUED], counts[Status.RUNNING], counts[Status.FAILED]) == (2, 1, 0)
