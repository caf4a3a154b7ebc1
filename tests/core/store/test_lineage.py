"""Jobs made from jobs: retries and forks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.checkpoint import Stage
from core.errors import Gone, NotFound, SpecRefused, WrongStatus
from core.job import Claim, Reason, Status
from core.store import Created, Fork, Retry, Store
from tests.core.store.making import (
    FINISHED,
    STARTED,
    a_checkpoint,
    a_claim,
    a_row,
    a_spec,
    an_epoch,
    failed,
    resumed,
    started,
    told,
)

SPEC = a_spec(lr=0.5, name="other")


def fork(store: Store, job_id: str, epoch: int | None = None) -> Created:
    return store.create(Fork(job_id, epoch, SPEC), told=told)


def retry(store: Store, job_id: str, *, from_start: bool = False) -> Created:
    return store.create(Retry(job_id, from_start=from_start), told=told)


def trained(store: Store, epochs: int = 5, **fields: object) -> Claim:
    """A running job with a checkpoint behind each epoch and one in the middle of the next."""
    claim = started(store, checkpoints={"keep_last": 10}, **fields)
    for epoch in range(1, epochs + 1):
        store.record(claim, [an_epoch(epoch), a_checkpoint(claim, epoch), a_checkpoint(claim, epoch, 2)])
    return claim


def died(store: Store, epochs: int = 3) -> Claim:
    claim = trained(store, epochs)
    store.record(claim, [failed(Reason.DIVERGED)])
    return claim


def places(claim: Claim) -> list[tuple[int, int]]:
    return [(each.epoch, each.step) for each in claim.checkpoints]


def test_a_fork_begins_at_the_newest_checkpoint_before_its_epoch_and_says_what_came_before(store: Store) -> None:
    parent = trained(store)
    made = fork(store, parent.job_id, 3)
    job = store.job(made.job_id)
    assert (job.parent, job.spec["lr"], job.name) == ({"id": parent.job_id, "epoch": 3}, 0.5, "other")
    assert made.text == f"{job.id} queued 1 worker"
    claim = a_claim(store)
    assert claim.job_id == job.id
    assert claim.lineage == (Stage(parent.spec, until=3),)
    assert places(claim) == [(3, 0), (2, 2)]
    parents = {each.id: each for each in store.checkpoints(parent.job_id)}
    for copy in claim.checkpoints:
        assert (copy.path, copy.files) == (parents[copy.id].path, parents[copy.id].files)
        assert copy.created_at == parents[copy.id].created_at


def test_a_fork_of_nothing_said_begins_behind_the_newest_epoch(store: Store) -> None:
    parent = trained(store)
    assert store.job(fork(store, parent.job_id).job_id).parent == {"id": parent.job_id, "epoch": 5}
    fresh = started(store)
    assert store.job(fork(store, fresh.job_id).job_id).parent == {"id": fresh.job_id, "epoch": 0}


@pytest.mark.parametrize("epoch", [-1, 6])
def test_a_fork_at_an_epoch_that_is_not_there_is_refused_with_the_range(store: Store, epoch: int) -> None:
    parent = trained(store)
    with pytest.raises(SpecRefused) as refused:
        fork(store, parent.job_id, epoch)
    [problem] = refused.value.problems
    assert (problem.pointer, problem.allowed) == ("/epoch", {"minimum": 0, "maximum": 5})
    assert "from 0 to 5" in problem.message
    assert store.counts()[Status.QUEUED] == 0


def test_the_parent_of_a_fork_never_changes(store: Store) -> None:
    parent = trained(store)
    before, kept = store.job(parent.job_id), store.checkpoints(parent.job_id)
    fork(store, parent.job_id, 2)
    assert (store.job(parent.job_id), store.checkpoints(parent.job_id)) == (before, kept)


def test_a_forks_own_rows_begin_behind_its_epoch(store: Store) -> None:
    fork(store, trained(store).job_id, 3)
    claim = a_claim(store)
    store.record(claim, [an_epoch(2, best=True), an_epoch(3), an_epoch(4), an_epoch(5)])
    assert [row.epoch for row in store.epochs(claim.job_id)] == [4, 5]
    job = store.job(claim.job_id)
    assert job.best == a_row(2).public()
    assert [event.seq for event in store.events(claim.job_id)] == [1, 2, 3, 4]


def test_a_parents_epoch_that_is_computed_again_does_not_take_the_place_of_a_later_best(store: Store) -> None:
    fork(store, trained(store).job_id, 3)
    claim = a_claim(store)
    store.record(claim, [resumed(best=a_row(1)), an_epoch(4, best=True)])
    store.record(claim, [an_epoch(1, best=True), an_epoch(4, best=True)])
    best = store.job(claim.job_id).best
    assert best is not None
    assert best["epoch"] == 4


def test_a_fork_of_a_fork_knows_all_that_came_before(store: Store) -> None:
    grandparent = trained(store)
    fork(store, grandparent.job_id, 3)
    parent = a_claim(store)
    store.record(parent, [an_epoch(4), a_checkpoint(parent, 4), an_epoch(5)])
    for wrong in (2, 6):
        with pytest.raises(SpecRefused, match="from 3 to 5"):
            fork(store, parent.job_id, wrong)
    fork(store, parent.job_id, 5)
    claim = a_claim(store)
    assert claim.lineage == (Stage(grandparent.spec, until=3), Stage(parent.spec, until=5))
    assert places(claim) == [(4, 0), (3, 0)]


def test_own_checkpoints_are_newer_than_copied_ones(store: Store) -> None:
    parent = trained(store)
    store.release(parent)
    parent = a_claim(store)
    store.record(parent, [a_checkpoint(parent, 5, 9)])
    fork(store, parent.job_id, 5)
    claim = a_claim(store)
    assert [each.attempt for each in claim.checkpoints] == [0, 0]
    store.record(claim, [a_checkpoint(claim, 0, 1)])
    assert [(each.attempt, each.epoch) for each in store.checkpoints(claim.job_id)] == [(1, 0), (0, 5)]


@pytest.mark.parametrize("gone", ["deleted", "pruned"])
def test_the_files_of_a_parent_stay_while_a_fork_needs_them(store: Store, gone: str) -> None:
    parent = trained(store, 2)
    named = {each.path for each in store.checkpoints(parent.job_id)[:2]}
    fork(store, parent.job_id, 2)
    child = a_claim(store)
    child_needs = {each.path for each in child.checkpoints}
    if gone == "deleted":
        store.record(parent, [FINISHED])
        store.delete(parent.job_id)
        assert store.named_checkpoints(parent.job_id) == child_needs
        assert store.job(child.job_id).parent == {"id": parent.job_id, "epoch": 2}
    else:
        store.record(parent, [a_checkpoint(parent, 9, step) for step in range(10)])
        assert store.named_checkpoints(parent.job_id) >= child_needs
        assert not named - child_needs & store.named_checkpoints(parent.job_id)
    store.record(child, [a_checkpoint(child, 3), a_checkpoint(child, 4), FINISHED])
    assert not child_needs & store.named_checkpoints(parent.job_id)


def test_a_failed_job_is_retried_from_its_newest_checkpoint(store: Store) -> None:
    old = died(store)
    before = store.job(old.job_id)
    made = retry(store, old.job_id)
    job = store.job(made.job_id)
    assert (job.spec, job.parent) == (old.spec, {"id": old.job_id, "epoch": 3})
    claim = a_claim(store)
    assert (claim.lineage, places(claim)) == ((), [(3, 2), (3, 0)])
    store.record(claim, [an_epoch(3), an_epoch(4)])
    assert [row.epoch for row in store.epochs(job.id)] == [4]
    assert store.job(old.job_id) == before


def test_a_cancelled_job_is_retried_from_the_start_when_that_is_asked(store: Store) -> None:
    old = trained(store)
    store.cancel(old.job_id)
    store.release(old)
    job = store.job(retry(store, old.job_id, from_start=True).job_id)
    assert job.parent == {"id": old.job_id, "epoch": 0}
    assert a_claim(store).checkpoints == ()


def test_a_job_without_a_checkpoint_is_retried_from_its_beginning(store: Store) -> None:
    old = started(store)
    store.record(old, [an_epoch(1), failed(Reason.DIVERGED)])
    assert store.job(retry(store, old.job_id).job_id).parent == {"id": old.job_id, "epoch": 0}


def test_a_retried_fork_stays_a_fork(store: Store) -> None:
    """Also when it died before it had a checkpoint of its own: what it was given lies before its first epoch."""
    parent = trained(store)
    fork(store, parent.job_id, 5)
    old = a_claim(store)
    store.record(old, [failed(Reason.DIVERGED)])
    for from_start, given in ((False, [(5, 0), (4, 2)]), (True, [])):
        made = retry(store, old.job_id, from_start=from_start)
        assert store.job(made.job_id).parent == {"id": old.job_id, "epoch": 5}
        claim = a_claim(store)
        assert claim.lineage == (Stage(parent.spec, until=5),)
        assert places(claim) == given


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.SUCCEEDED])
def test_only_what_failed_or_was_cancelled_can_be_retried(store: Store, status: Status) -> None:
    job_id = store.add(a_spec()).id
    if status is not Status.QUEUED:
        claim = a_claim(store)
        store.record(claim, [FINISHED] if status is Status.SUCCEEDED else [])
    with pytest.raises(WrongStatus, match=status):
        retry(store, job_id)


def test_nothing_is_made_of_a_job_that_is_not_there(store: Store) -> None:
    gone = died(store).job_id
    store.delete(gone)
    for make in (fork, retry):
        with pytest.raises(NotFound):
            make(store, "job_0")
        with pytest.raises(Gone):
            make(store, gone)


def test_forks_at_any_moment_get_checkpoints_whose_files_stay(store: Store) -> None:
    """A run that takes checkpoints lets old rows go in the same moment in which a fork copies them."""
    parent = started(store, checkpoints={"keep_last": 1})
    store.record(parent, [an_epoch(1), a_checkpoint(parent, 1)])

    def train() -> None:
        for epoch in range(2, 40):
            store.record(parent, [an_epoch(epoch), a_checkpoint(parent, epoch)])

    made = []
    with ThreadPoolExecutor(4) as threads:
        training = threads.submit(train)
        while not training.done():
            made += list(threads.map(lambda _: fork(store, parent.job_id), range(3)))
        training.result()
    for each in made:
        [copied] = store.checkpoints(each.job_id)
        assert store.job(each.job_id).parent == {"id": parent.job_id, "epoch": copied.epoch}
        assert copied.path in store.named_checkpoints(parent.job_id)


def test_a_retry_goes_on_with_what_the_old_job_found_unless_it_begins_again(store: Store) -> None:
    claim = trained(store, lr="auto")
    found = {"lr": 0.25}
    store.record(claim, [replace(STARTED, resolved=found), failed(Reason.DIVERGED)])
    assert store.job(retry(store, claim.job_id).job_id).resolved == found
    assert a_claim(store).resolved == found
    assert store.job(retry(store, claim.job_id, from_start=True).job_id).resolved is None
    assert a_claim(store).resolved == {}


def test_what_a_fork_comes_from_was_trained_by_the_numbers_that_were_found(store: Store) -> None:
    parent = trained(store, lr="auto", batch_size="auto")
    store.record(parent, [replace(STARTED, resolved={"lr": 0.25, "batch_size": 16})])
    fork(store, parent.job_id, 2)
    [stage] = a_claim(store).lineage
    assert (stage.spec["lr"], stage.spec["batch_size"]) == (0.25, 16)
    assert store.job(parent.job_id).spec["lr"] == "auto"


def test_a_fork_of_a_job_that_found_nothing_yet_begins_with_its_own_numbers(store: Store) -> None:
    parent = started(store, lr="auto")
    fork(store, parent.job_id, 0)
    [stage] = a_claim(store).lineage
    assert stage.spec["lr"] == SPEC.lr
