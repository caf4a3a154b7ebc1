from __future__ import annotations

from core.events import EpochDone
from core.job import Progress, Status
from core.store import Store
from tests.core.store.making import FINISHED, a_row, a_spec, started


def test_several_jobs_are_read_as_each_alone_without_those_that_are_not_there(store: Store) -> None:
    one, two = started(store), store.add(a_spec())
    store.record(one, [EpochDone(a_row(1), best=True)])
    ids = [one.job_id, two.id]
    assert store.jobs_by_id([*ids, f"job_{'0' * 32}"]) == {job_id: store.job(job_id) for job_id in ids}
    assert store.jobs_by_id([]) == {}


def test_what_moves_is_what_workers_hold_and_what_is_new(store: Store) -> None:
    old, ended = store.add(a_spec()), started(store)
    store.record(ended, [FINISHED])
    held = started(store)
    progress = Progress(epoch=1, epochs=3, step=2, steps=4, eta_s=1.0)
    store.record(held, [progress])

    moving = store.moving(after=None)
    assert list(moving.held) == [held.job_id]
    assert (moving.held[held.job_id].progress, moving.held[held.job_id].status) == (progress, Status.RUNNING)
    assert (list(moving.added), moving.newest) == ([], held.job_id)

    new = [store.add(a_spec()).id for _ in range(2)]
    later = store.moving(after=moving.newest)
    assert (list(later.added), later.newest) == (new, new[-1])
    assert store.moving(after=later.newest).newest == new[-1]
    assert old.id not in later.added


def test_nothing_moves_in_an_empty_store(store: Store) -> None:
    moving = store.moving(after=None)
    assert (moving.held, list(moving.added), moving.newest) == ({}, [], "")
    added = store.add(a_spec())
    assert list(store.moving(after=moving.newest).added) == [added.id]
