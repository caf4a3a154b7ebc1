"""What many do at once, on each database: threads of one store, and processes with a store each."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain, repeat

import pytest

from core.errors import WrongStatus
from core.events import Logged
from core.job import Claim, Progress, Status
from core.store import Store
from tests.core.store.conftest import OpenStore
from tests.core.store.making import FINISHED, a_spec, a_worker, an_epoch, settings

JOBS = 200


def claim_all(store: Store, name: str) -> list[str]:
    """Claim and finish jobs until there is none."""
    ids = []
    while (claim := store.claim(a_worker(name))) is not None:
        ids.append(claim.job_id)
        store.record(claim, [an_epoch(1), FINISHED])
    return ids


def claim_all_from(url: str, name: str) -> list[str]:
    store = Store.open(url, settings=settings())
    try:
        return claim_all(store, name)
    finally:
        store.close()


def test_many_threads_claim_each_job_once(store: Store) -> None:
    with ThreadPoolExecutor(16) as threads:
        added = [job.id for job in threads.map(store.add, repeat(a_spec(), JOBS))]
        claimed = list(threads.map(claim_all, repeat(store), map(str, range(16))))
    assert sorted(chain.from_iterable(claimed)) == sorted(added)
    check_all_ended(store)


def test_many_processes_claim_each_job_once(store: Store, url: str, processes: ProcessPoolExecutor) -> None:
    with ThreadPoolExecutor(8) as threads:
        added = [job.id for job in threads.map(store.add, repeat(a_spec(), JOBS))]
    claimed = list(processes.map(claim_all_from, repeat(url), map(str, range(4))))
    assert sorted(chain.from_iterable(claimed)) == sorted(added)
    check_all_ended(store)


def check_all_ended(store: Store) -> None:
    assert store.counts()[Status.SUCCEEDED] == JOBS
    for found in store._database.read(lambda tx: tx.conn.exec_driver_sql(GAPS).all()):
        pytest.fail(f"a gap: {found}")


GAPS = "SELECT job_id, count(*), max(seq) FROM events GROUP BY job_id HAVING count(*) <> max(seq) OR min(seq) <> 1"


def test_the_log_has_no_gap_although_many_write_to_it(store: Store) -> None:
    job = store.add(a_spec())
    claim = store.claim(a_worker())
    assert claim is not None

    def tell(number: int) -> None:
        store.record(claim, [Logged((str(number), "x")), Progress(1, 1, number, 100)])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(tell, range(50)))
    assert [event.seq for event in store.events(job.id)] == list(range(1, 103))
    assert store.job(job.id).version == 102


@pytest.mark.parametrize("round_", range(5))
def test_of_a_cancel_and_an_end_at_once_exactly_one_wins(store: Store, round_: int) -> None:
    job = store.add(a_spec(seed=round_))
    claim = store.claim(a_worker())
    assert claim is not None
    outcomes: Counter[str] = Counter()

    def cancel() -> None:
        try:
            outcomes[store.cancel(job.id).status] += 1
        except WrongStatus:
            outcomes["refused"] += 1

    with ThreadPoolExecutor(5) as threads:
        for _ in range(4):
            threads.submit(cancel)
        ending = threads.submit(store.record, claim, [FINISHED])
    assert ending.result() is Status.SUCCEEDED
    assert store.job(job.id).status is Status.SUCCEEDED
    assert set(outcomes) <= {"cancelling", "refused"}
    ends = [event for event in store.events(job.id) if event.type.value == "end"]
    assert len(ends) == 1


def test_of_many_sweepers_one_takes_a_job_back(open_store: OpenStore) -> None:
    store = open_store(lease_s=1e-6)
    jobs = [store.add(a_spec()).id for _ in range(10)]
    claims: list[Claim | None] = [store.claim(a_worker()) for _ in jobs]
    assert None not in claims
    with ThreadPoolExecutor(6) as threads:
        swept = list(threads.map(lambda _: store.sweep(), range(6)))
    assert sorted(chain.from_iterable(swept)) == sorted(jobs)
    assert [store.job(job_id).version for job_id in jobs] == [3] * 10


def test_readers_see_whole_jobs_while_others_write(store: Store) -> None:
    job = store.add(a_spec())

    def write() -> None:
        for _ in range(15):
            claim = store.claim(a_worker())
            assert claim is not None
            store.release(claim)

    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(write)
        while not writing.done():
            seen = store.job(job.id)
            assert len(seen.transitions) == seen.version
            assert seen.transitions[-1].status is seen.status
        writing.result()
