"""Checkpoints in the store: what counts is what has a row."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.checkpoint import Occasion
from core.errors import ClaimLost
from core.events import RunEvent
from core.job import Claim, EventType, Reason, Status
from core.store import Store
from tests.core.store.making import (
    FINISHED,
    KILLED,
    STARTED,
    a_checkpoint,
    a_claim,
    a_row,
    an_epoch,
    failed,
    resumed,
    started,
)


def places(store: Store, job_id: str) -> list[tuple[int, int]]:
    return [(each.epoch, each.step) for each in store.checkpoints(job_id)]


def kinds(store: Store, job_id: str) -> list[str]:
    return [event.type.value for event in store.events(job_id)]


def data_of(store: Store, job_id: str, kind: EventType) -> list[Any]:
    return [json.loads(event.data) for event in store.events(job_id, types=[kind])]


def test_a_checkpoint_is_stored_and_told(store: Store) -> None:
    claim = started(store)
    told = a_checkpoint(claim, 2, 3, cost=0.25, occasion=Occasion.EPOCH)
    assert store.record(claim, [an_epoch(1), an_epoch(2), told]) is Status.RUNNING
    [stored] = store.checkpoints(claim.job_id)
    assert stored.created_at is not None
    for name in ("id", "path", "epoch", "step", "occasion", "files", "cost"):
        assert getattr(stored, name) == getattr(told.checkpoint, name)
    assert stored.attempt == 1
    assert data_of(store, claim.job_id, EventType.CHECKPOINT) == [
        {"id": stored.id, "epoch": 2, "step": 3, "bytes": 12, "occasion": "epoch"}
    ]
    assert store.named_checkpoints(claim.job_id) == {stored.path}


def test_the_next_claim_is_given_the_checkpoints_the_newest_first(store: Store) -> None:
    first = started(store, checkpoints={"keep_last": 5})
    store.record(first, [a_checkpoint(first, 0, 5), a_checkpoint(first, 1), a_checkpoint(first, 1, 2)])
    store.release(first)
    second = a_claim(store)
    assert [(each.epoch, each.step) for each in second.checkpoints] == [(1, 2), (1, 0), (0, 5)]
    assert list(second.checkpoints) == store.checkpoints(first.job_id)
    store.record(second, [a_checkpoint(second, 0, 7)])
    store.release(second)
    assert [(each.attempt, each.epoch, each.step) for each in a_claim(store).checkpoints][:2] == [(2, 0, 7), (1, 1, 2)]


def test_the_newest_and_the_cheapest_are_kept(store: Store) -> None:
    claim = started(store, checkpoints={"keep_last": 2, "keep_best": 2})
    costs = [0.9, 0.3, math.nan, 0.2, 0.2, 0.8, None, 0.7]
    for epoch, cost in enumerate(costs, start=1):
        store.record(claim, [a_checkpoint(claim, epoch, cost=cost)])
    assert places(store, claim.job_id) == [(8, 0), (7, 0), (5, 0), (4, 0)]


def test_of_a_spec_that_says_nothing_the_last_two_are_kept(store: Store) -> None:
    claim = started(store)
    bare = Claim(claim.job_id, claim.attempt, {}, claim.device)
    store.record(bare, [a_checkpoint(claim, epoch, cost=epoch) for epoch in range(1, 5)])
    assert places(store, claim.job_id) == [(4, 0), (3, 0)]
    assert len(store.named_checkpoints(claim.job_id)) == 2
    assert kinds(store, claim.job_id).count("checkpoint") == 4


def test_a_batch_that_is_told_again_stores_no_checkpoint_twice(store: Store) -> None:
    """Not even one whose row went to make room for the next."""
    claim = started(store, checkpoints={"keep_last": 1})
    batch: list[RunEvent] = [
        an_epoch(1),
        a_checkpoint(claim, 1),
        a_checkpoint(claim, 1, 2),
        an_epoch(2),
        a_checkpoint(claim, 2),
    ]
    store.record(claim, batch)
    before = store.job(claim.job_id)
    assert store.record(claim, batch) is Status.RUNNING
    assert store.job(claim.job_id) == before
    assert places(store, claim.job_id) == [(2, 0)]


def test_a_checkpoint_in_the_same_place_takes_the_place_of_the_first(store: Store) -> None:
    claim = started(store)
    first, second = a_checkpoint(claim, 1, 2), a_checkpoint(claim, 1, 2, occasion=Occasion.MEMORY)
    store.record(claim, [first])
    store.record(claim, [second])
    assert [each.id for each in store.checkpoints(claim.job_id)] == [second.checkpoint.id]


def test_a_worker_that_wakes_up_late_stores_no_checkpoint(store: Store) -> None:
    late = started(store)
    store.release(late)
    current = a_claim(store)
    store.record(current, [a_checkpoint(current, 1)])
    with pytest.raises(ClaimLost):
        store.record(late, [a_checkpoint(late, 9)])
    assert places(store, late.job_id) == [(1, 0)]


def test_a_new_epoch_or_checkpoint_makes_what_died_before_count_no_more(store: Store) -> None:
    for number, advance in enumerate(("epoch", "checkpoint")):
        claim = started(store)
        for _ in range(3):
            assert store.release(claim, error=KILLED) is Status.QUEUED
            store.recover()
            claim = a_claim(store)
        assert store.job(claim.job_id).error == KILLED
        store.record(claim, [an_epoch(1) if advance == "epoch" else a_checkpoint(claim, 0, 1)])
        assert store.job(claim.job_id).error is None
        for _ in range(4):
            assert store.release(claim, error=KILLED) is Status.QUEUED
            store.recover()
            claim = a_claim(store)
        assert store.release(claim, error=KILLED) is Status.FAILED, number


def test_standing_still_is_no_advance(store: Store) -> None:
    """A run that takes a checkpoint where it began and dies again would be started for ever."""
    claim = started(store)
    statuses = []
    for _ in range(5):
        store.record(claim, [STARTED, a_checkpoint(claim, 1, 2)])
        statuses.append(store.release(claim, error=KILLED))
        if statuses[-1] is Status.FAILED:
            break
        store.recover()
        claim = a_claim(store)
    assert statuses == [Status.QUEUED] * 4 + [Status.FAILED]


def test_what_has_a_smaller_micro_batch_is_an_advance(store: Store) -> None:
    claim = started(store)
    for _ in range(4):
        store.record(claim, [a_checkpoint(claim, 1, 2, occasion=Occasion.MEMORY)])
        assert store.record(claim, [failed(Reason.OUT_OF_MEMORY)]) is Status.QUEUED
        store.recover()
        claim = a_claim(store)


def test_a_run_that_goes_on_says_from_where_and_whether_exactly(store: Store) -> None:
    claim = started(store)
    store.record(claim, [STARTED])
    assert store.record(claim, [resumed("ckpt_7")]) is Status.RUNNING
    assert store.job(claim.job_id).inexact is None
    store.record(claim, [resumed("ckpt_8", inexact="It ran on 1 thread, now on 2.")])
    store.record(claim, [resumed("ckpt_9", inexact="It ran on a CPU, now on a GPU.")])
    assert store.job(claim.job_id).inexact == "It ran on 1 thread, now on 2."
    told = [each["resumed"] for each in data_of(store, claim.job_id, EventType.STARTED)]
    assert told[:2] == [
        None,
        {"checkpoint": "ckpt_7", "epoch": 2, "step": 1, "bit_exact": True, "bit_exact_reason": None},
    ]
    assert (told[2]["bit_exact"], told[2]["bit_exact_reason"]) == (False, "It ran on 1 thread, now on 2.")


def test_an_epoch_that_comes_out_otherwise_makes_the_job_inexact(store: Store) -> None:
    claim = started(store)
    store.record(claim, [an_epoch(1), an_epoch(2)])
    store.release(claim)
    store.record(a_claim(store), [an_epoch(1, train_loss=7.0), an_epoch(2, train_loss=7.0)])
    inexact = store.job(claim.job_id).inexact
    assert inexact is not None
    assert inexact.startswith("Epoch 1 ")


def test_the_best_epoch_of_what_is_resumed_is_shown_unless_a_later_one_is_known(store: Store) -> None:
    claim = started(store)
    store.record(claim, [resumed(best=a_row(2))])
    assert store.job(claim.job_id).best == a_row(2).public()
    store.record(claim, [an_epoch(3, best=True)])
    store.record(claim, [resumed(best=a_row(2))])
    assert store.job(claim.job_id).best == a_row(3).public()


def test_the_checkpoints_of_an_ended_job_stay_until_it_is_deleted(store: Store) -> None:
    claim = started(store)
    store.record(claim, [a_checkpoint(claim, 1), FINISHED])
    assert len(store.checkpoints(claim.job_id)) == 1
    store.delete(claim.job_id)
    assert store.named_checkpoints(claim.job_id) == set()


def test_many_that_tell_at_once_keep_what_is_to_be_kept(store: Store) -> None:
    claim = started(store)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda step: store.record(claim, [a_checkpoint(claim, 0, step)]), range(1, 25)))
    assert places(store, claim.job_id)[0] == (0, 24)
    assert len(places(store, claim.job_id)) == 2
    seqs = [event.seq for event in store.events(claim.job_id)]
    assert seqs == list(range(1, len(seqs) + 1))
