"""How fast earlier jobs were, by what an epoch's speed rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.events import EpochDone, Started
from core.job import Claim
from core.pace import Pace, pace_key
from core.store import Store
from core.usage import Memory
from tests.core.store.conftest import OpenStore
from tests.core.store.making import FINISHED, HandClock, a_row, a_spec, a_worker, an_epoch, started
from tests.core.store.making import resumed as resumed_on


def key(**fields: Any) -> str:
    return pace_key(a_spec(**fields).model_dump(mode="json"))


@pytest.mark.parametrize(
    "fields",
    [
        {"lr": 0.5}, {"epochs": 3}, {"seed": 4}, {"name": "other"}, {"labels": {"a": "b"}}, {"priority": 3},
        {"split": {"seed": 9}}, {"scheduler": "cosine"}, {"metrics": ["f1"]}, {"resources": {"queue": "cpu"}},
        {"optimizer": {"name": "adam", "weight_decay": 0.1}}, {"checkpoints": {"every_s": 1}}, {"deadline_s": 9},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_what_leaves_an_epoch_as_long_as_it_is_leaves_the_key(fields: dict[str, Any]) -> None:
    assert key(**fields) == key()


@pytest.mark.parametrize(
    "fields",
    [
        {"dataset": "wine"}, {"model": "mlp"}, {"batch_size": 8}, {"split": {"validation": 0.5}}, {"optimizer": "sgd"},
        {"resources": {"threads": 2}}, {"loader": {"num_workers": 1}}, {"clip_grad_norm": 1.0},
        {"optimizer": {"name": "adam", "amsgrad": True}}, {"preprocess": {"features": "none"}},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_what_makes_an_epoch_longer_or_shorter_changes_the_key(fields: dict[str, Any]) -> None:
    assert key(**fields) != key()


def ran(store: Store, *times: float, ended: bool = True, device: str = "cpu", **fields: Any) -> Claim:
    """A job whose epochs took so long."""
    claim = started(store, **fields)
    rows = [EpochDone(replace(a_row(number), epoch_s=time), best=False) for number, time in enumerate(times, 1)]
    begun = Started(device, 100, 4, 3, 80, 20, 1, {})
    store.record(claim, [begun, *rows, *([FINISHED] if ended else [])])
    return claim


def test_a_pace_is_the_median_of_the_latest_epochs_of_the_latest_jobs(store: Store) -> None:
    assert store.pace(key(), device="cpu") is None
    ran(store, 9.0, 9.0, 9.0)
    for _ in range(5):
        ran(store, 1.0, 2.0, 3.0, lr=0.1)
    ran(store, 50.0, batch_size=8)
    found = store.pace(key(), device="cpu")
    assert found is not None
    assert (found.epoch_s, found.epochs, found.jobs) == (2.0, 15, 5)


def test_a_job_that_still_runs_tells_its_epochs_too(store: Store) -> None:
    ran(store, 4.0, ended=False)
    assert store.pace(key(), device="cpu") == Pace(4.0, 0.0, 0.0, epochs=1, jobs=1)


def test_only_jobs_on_the_same_kind_of_device_tell_how_long_it_takes(store: Store) -> None:
    ran(store, 4.0)
    ran(store, 1.0, device="cuda:1")
    assert [store.pace(key(), device=kind).epoch_s for kind in ("cpu", "cuda")] == [4.0, 1.0]  # type: ignore[union-attr]
    assert store.pace(key(), device="mps") is None
    assert store.pace(key(), device=None).epochs == 2  # type: ignore[union-attr]


def test_what_comes_beside_the_training_is_told_apart_from_what_comes_once(
    open_timed: OpenStore, clock: HandClock
) -> None:
    store = open_timed()
    claim = started(store)
    clock.passes(3.0)
    for number in range(1, 5):
        store.record(claim, [EpochDone(replace(a_row(number), epoch_s=2.0), best=False)])
        clock.passes(2.5)
    store.record(claim, [FINISHED])
    assert store.pace(key(), device=None) == Pace(2.0, 0.5, 3.0, epochs=4, jobs=1)


def test_a_run_with_a_gap_in_it_tells_its_epochs_only(store: Store) -> None:
    store.release(ran(store, 2.0, ended=False))
    claim = store.claim(a_worker())
    assert claim is not None
    store.record(claim, [resumed_on(), an_epoch(2), FINISHED])
    found = store.pace(key(), device=None)
    assert found is not None
    assert (found.rest_s, found.once_s, found.epochs) == (0.0, 0.0, 2)


def test_the_latest_jobs_tell_what_a_process_holds_before_it_reads(store: Store) -> None:
    assert store.baseline_bytes() is None
    for held in (9, 1, 2, 3, 4, 5):
        claim = started(store)
        memory = Memory(1, 1, 1, peak_bytes=10, baseline_bytes=held)
        store.record(claim, [Started("cpu", 100, 4, 3, 80, 20, 1, {}), replace(FINISHED, memory=memory)])
    assert store.baseline_bytes() == 3
