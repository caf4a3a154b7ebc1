"""What a job will be, told before it runs."""

from __future__ import annotations

from typing import Any

import pytest

from core.job import Worker
from core.pace import Pace
from core.planning import ENDED_S, TOLD_S, Place, place, plan, reckoned
from core.spec import parse_spec
from core.spec.footprint import KERNEL_BYTES, WARM_BYTES, footprint

CPU = Worker("worker_1", "a", ("cpu",), 2, ("cpu",))
GPU = Worker("worker_2", "b", ("cuda:0", "cuda:1", "cpu"), 2, ("gpu", "night"))


def spec(**fields: Any) -> Any:
    return parse_spec({"dataset": "digits", "model": "mlp", **fields})


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ({}, Place("cpu", ("a", "b"))),
        ({"device": "cpu"}, Place("cpu", ("a", "b"))),
        ({"device": "cuda"}, Place("cuda:0", ("b",))),
        ({"device": "cuda:1"}, Place("cuda:1", ("b",))),
        ({"queue": "night"}, Place("cuda:0", ("b",))),
        ({"queue": "night", "device": "cpu"}, Place("cpu", ("b",))),
        ({"queue": "cpu", "device": "cuda"}, None),
        ({"device": "mps"}, None),
        ({"devices": 2}, Place("cpu", ("a", "b"))),
        ({"devices": 2, "device": "cuda"}, Place("cuda:0", ("b",))),
        ({"devices": 3}, None),
        ({"nodes": 2}, None),
    ],
)
def test_a_job_runs_where_queue_and_device_allow(resources: dict[str, Any], found: Place | None) -> None:
    assert place(spec(resources=resources), [CPU, GPU]) == found
    assert place(spec(resources=resources), []) is None


def test_steps_are_counted_over_all_epochs_and_folds() -> None:
    told = plan(spec(split={"folds": 3}, epochs=4), None, None)
    assert (told["epochs"], told["steps"], told["steps_per_epoch"]) == (12, 12 * 38, 38)
    assert told["samples"] == {"train": 1198, "validation": 599, "test": 0}


def test_the_time_of_a_run_is_that_of_its_epochs_and_what_comes_once() -> None:
    pace = Pace(epoch_s=2.0, rest_s=0.5, once_s=3.0, epochs=7, jobs=2)
    seconds = plan(spec(epochs=10), Place("cpu", ("a",)), pace)["seconds"]
    assert seconds == {"source": "earlier_jobs", "epoch_s": 2.0, "total_s": 28.0, "jobs": 2, "epochs": 7}


def test_whatever_is_not_known_is_null_and_a_note_says_why() -> None:
    told = plan(spec(resources={"queue": "night"}, early_stopping={}), None, None)
    assert (told["seconds"], told["runs_on"]) == (None, None)
    assert [note.partition(":")[0] for note in told["notes"]] == [
        "No live worker offers the device 'auto' in the queue 'night'",
        "seconds",
        "epochs",
    ]
    assert plan(spec(), Place("cpu", ("a",)), Pace(1, 0, 0, 1, 1))["notes"] == []


@pytest.mark.parametrize(
    ("optimizer", "times"),
    [("sgd", 0), ({"name": "sgd", "momentum": 0.9}, 1), ("adam", 2)],
    ids=["sgd", "momentum", "adam"],
)
def test_the_arithmetic_knows_what_an_optimizer_keeps(optimizer: Any, times: int) -> None:
    found = footprint(spec(optimizer=optimizer), on_gpu=False)
    assert found.weights_bytes == found.gradients_bytes == 4 * 9610
    assert found.optimizer_bytes == times * found.weights_bytes


def test_a_larger_batch_and_kept_weights_raise_the_peak_and_smaller_pieces_lower_it() -> None:
    wide: dict[str, Any] = {"model": {"name": "mlp", "hidden": [4096, 4096]}, "optimizer": "sgd"}

    def peak(**fields: Any) -> int:
        return footprint(spec(**wide, **fields), on_gpu=False).peak_bytes

    assert peak(batch_size=1024) > peak()
    assert peak(batch_size=1024, micro_batch_size=32) == peak()
    weights = footprint(spec(**wide), on_gpu=False).weights_bytes
    assert peak(early_stopping={}) == peak() + weights
    assert peak(split={"folds": 2}) > peak()


def test_what_earlier_processes_held_before_takes_the_place_of_the_constant() -> None:
    usual, told = (plan(spec(), None, None, baseline_bytes=known)["memory"] for known in (None, 100_000_000))
    assert (usual["baseline_bytes"], told["baseline_bytes"]) == (WARM_BYTES, 100_000_000)
    assert usual["peak_bytes"] - told["peak_bytes"] == WARM_BYTES - 100_000_000


def test_an_average_is_one_more_copy_of_the_weights_and_no_more_parameters() -> None:
    ema = spec(ema={"decay": 0.9})
    assert footprint(ema, on_gpu=False).weights_bytes == 2 * footprint(spec(), on_gpu=False).weights_bytes
    assert plan(ema, None, None)["parameters"] == 9610


def test_what_freeze_leaves_to_train_is_told_by_a_trial_alone() -> None:
    frozen = spec(freeze=["0.*"])
    known = plan(frozen, None, None)
    assert (known["parameters"], known["trainable_parameters"]) == (9610, None)
    assert any(note.startswith("trainable_parameters") for note in known["notes"])
    memory = {"weights_bytes": 4 * 9610, "gradients_bytes": 4 * 1290, "peak_bytes": 1}
    trial = {"memory": memory, "startup_s": 1.0, "step_s": 0.1, "sample_s": 0.0, "rest_s": 0.5}
    tried = plan(frozen, None, None, {"trial": trial})
    assert tried["trainable_parameters"] == 1290
    assert tried["seconds"]["total_s"] == pytest.approx(1.0 + 10 * (45 * 0.1 + 0.5 + TOLD_S) + ENDED_S)


def test_on_a_gpu_nothing_is_held_before_and_nothing_is_read() -> None:
    blobs = {"name": "blobs", "samples": 500_000, "features": 64}
    here, there = (footprint(spec(dataset=blobs), on_gpu=gpu) for gpu in (False, True))
    assert there.baseline_bytes == 0
    assert here.baseline_bytes == WARM_BYTES
    assert here.peak_bytes - WARM_BYTES - KERNEL_BYTES == pytest.approx(4 * here.data_bytes, rel=0.01)
    assert there.peak_bytes - KERNEL_BYTES < 1.1 * there.data_bytes + 2**27


@pytest.mark.parametrize("more", [{"lr": "auto"}, {"batch_size": "auto"}], ids=str)
def test_a_trial_takes_numbers_for_what_only_the_run_finds(more: dict[str, Any]) -> None:
    taken = reckoned(spec(**more)).model_dump(include={"lr", "batch_size"})
    assert all(isinstance(value, int | float) for value in taken.values())
    assert plan(spec(**more), None, None)["spec"].items() >= more.items()


def test_of_several_devices_each_holds_its_part_of_a_batch_and_with_fsdp_of_the_weights() -> None:
    wide: dict[str, Any] = {"model": {"name": "mlp", "hidden": [4096, 4096]}, "batch_size": 1000}
    one, two, pieces = (
        footprint(spec(**wide, resources=resources), on_gpu=False)
        for resources in ({}, {"devices": 2}, {"devices": 2, "sharding": "fsdp"})
    )
    assert 2 * two.activations_bytes == pytest.approx(one.activations_bytes, abs=4)
    assert (two.weights_bytes, two.optimizer_bytes) == (one.weights_bytes, one.optimizer_bytes)
    assert 2 * pieces.optimizer_bytes == one.optimizer_bytes
    assert pieces.peak_bytes < two.peak_bytes < one.peak_bytes


def test_a_plan_for_several_devices_says_of_what_its_memory_is_and_who_is_missing() -> None:
    resources = {"device": "cuda", "devices": 3}
    first, _, last = plan(spec(resources=resources), place(spec(resources=resources), [CPU, GPU]), None)["notes"]
    assert first == "No live worker offers 3 devices of the kind 'cuda': the job would wait for one."
    assert last.startswith("memory: that of each process")
