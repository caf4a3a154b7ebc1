"""Forks: the parents' epochs again, then the job's own spec, interrupted or not."""

from __future__ import annotations

from typing import Any

import pytest

from core.checkpoint import Occasion, Stage
from core.events import Started
from core.job import Progress
from core.loop import pace
from tests.core.loop.interrupting import Attempt, Bench, bits, pieced, stage, state, up_to

JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 75, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "dropout": 0.3, "batch_norm": True},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "batch_size": 20,
    "epochs": 5,
    "scheduler": "cosine",
    "early_stopping": {"patience": 50},
    "checkpoints": {"every_s": 0},
}
ONLY_ASKED = {"every_s": None}


@pytest.fixture
def parent(bench: Bench) -> Attempt:
    return bench.attempt(JOB)


@pytest.mark.parametrize("until", [0, 1, 3])
def test_a_fork_without_a_patch_gives_the_parents_remaining_rows_and_weights(
    bench: Bench, parent: Attempt, until: int
) -> None:
    lineage = [stage(JOB, until)]
    anew = bench.attempt(JOB, lineage=lineage)
    assert anew.bits == parent.bits
    assert anew.notices == []
    for kept in up_to(parent, until)[-3:]:
        fork = bench.attempt(JOB, kept, lineage=lineage)
        assert pieced(parent, kept, fork) == parent.bits


def goes_on_everywhere(bench: Bench, fields: dict[str, Any], lineage: list[Stage], parent: Attempt) -> Attempt:
    """The fork, after it was seen to end the same from each of its parent's checkpoints, and from each of its own."""
    fork = bench.attempt(fields, lineage=lineage)
    until = lineage[-1].until
    assert [bits(row) for row in fork.rows[:until]] == [bits(row) for row in parent.rows[:until]]
    for kept in [*up_to(parent, until)[3::7], *fork.checkpoints[6::7]]:
        again = bench.attempt({**fields, "checkpoints": ONLY_ASKED}, kept, lineage=lineage)
        assert again.resumed
        assert again.resumed.inexact is None
        assert pieced(fork, kept, again) == fork.bits, f"differs from {kept.epoch}, {kept.step}"
    return fork


PATCHES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "lr": ({"lr": 0.01}, ["schedule_fresh"]),
    "optimizer": ({"optimizer": "adam", "lr": 0.01}, ["optimizer_fresh", "schedule_fresh"]),
    "settings": ({"optimizer": {"name": "sgd", "momentum": 0.5}}, ["optimizer_fresh", "schedule_fresh"]),
    "scheduler": ({"scheduler": {"name": "one_cycle"}}, ["schedule_fresh"]),
    "epochs": ({"epochs": 7}, ["schedule_fresh"]),
    "batch_size": ({"batch_size": 10}, ["schedule_fresh"]),
    "drop_last": ({"loader": {"drop_last": True}, "batch_size": 25}, ["schedule_fresh"]),
    "order": ({"loader": {"shuffle": False}}, []),
    "clip": ({"clip_grad_norm": 0.01}, []),
    "clip_value": ({"clip_grad_value": 0.001}, []),
    "precision": ({"precision": "bf16"}, []),
    "ema": ({"ema": {"decay": 0.9}}, []),
    "groups": ({"param_groups": [{"params": "*.bias", "lr_scale": 0.1}]}, ["schedule_fresh"]),
    "freeze": ({"freeze": ["*.0.*"]}, ["optimizer_fresh", "schedule_fresh"]),
    "micro_batch_size": ({"micro_batch_size": 7}, []),
    "seed": ({"seed": 7}, []),
    "dropout": ({"model": {**JOB["model"], "dropout": 0.6}}, []),
    "activation": ({"model": {**JOB["model"], "activation": "tanh"}}, []),
    "metrics": ({"metrics": ["f1"]}, []),
    "augment": ({"augment": ["noise", "mixup"]}, []),
    "monitor": ({"early_stopping": {"monitor": "train_loss", "patience": 2, "min_delta": 9}}, []),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_applies_behind_its_epoch_wherever_the_fork_is_interrupted(
    bench: Bench, parent: Attempt, name: str
) -> None:
    patch, notices = PATCHES[name]
    fields = {**JOB, **patch}
    fork = goes_on_everywhere(bench, fields, [stage(JOB, 2)], parent)
    assert fork.notices == notices
    assert fork.bits[2:] != parent.bits[2:]


def test_a_fork_that_changes_only_its_name_goes_on_exactly(bench: Bench, parent: Attempt) -> None:
    fields = {**JOB, "name": "another", "priority": 3, "checkpoints": {"every_s": None}}
    assert bench.attempt(fields, lineage=[stage(JOB, 2)]).bits == parent.bits


def test_a_fork_of_a_fork_has_both_its_parents_stages(bench: Bench, parent: Attempt) -> None:
    middle = {**JOB, "lr": 0.02}
    lineage = [stage(JOB, 1), stage(middle, 3)]
    first = bench.attempt(middle, lineage=lineage[:1])
    fork = goes_on_everywhere(bench, {**middle, "optimizer": "adam"}, lineage, first)
    assert fork.notices == ["schedule_fresh", "optimizer_fresh", "schedule_fresh"]
    assert [bits(row) for row in fork.rows[:1]] == [bits(row) for row in parent.rows[:1]]
    assert bench.attempt(middle, lineage=[*lineage[:1], stage(middle, 1)]).bits == first.bits


def test_the_end_of_a_stage_is_kept_with_the_next_stages_state(bench: Bench) -> None:
    fields = {**JOB, "optimizer": "adam", "checkpoints": {"every_s": None}}
    lineage = [stage({**JOB, "checkpoints": {"every_s": None}}, 2)]
    fork = bench.attempt(fields, lineage=lineage)
    assert [(one.epoch, one.step, one.occasion) for one in fork.checkpoints] == [(2, 0, Occasion.EPOCH)]
    assert state(fork.checkpoints[0])["parts"]["position"]["stage"] == 1
    again = bench.attempt(fields, *fork.checkpoints, lineage=lineage)
    assert again.notices == []
    assert again.checkpoints == []


def test_a_checkpoint_that_lies_behind_the_fork_is_not_used(bench: Bench, parent: Attempt) -> None:
    later = next(one for one in parent.checkpoints if one.epoch == 3)
    fork = bench.attempt(JOB, later, lineage=[stage(JOB, 2)])
    assert fork.notices == ["checkpoint_unusable"]
    assert fork.bits == parent.bits


def test_the_start_and_the_progress_tell_of_the_job_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "INTERVAL_S", 0.0)
    fork = bench.attempt({**JOB, "epochs": 7, "batch_size": 30}, lineage=[stage(JOB, 5)])
    started = fork.every(Started)[0]
    assert (started.epochs, started.steps_per_epoch) == (7, 2)
    readings = fork.every(Progress)
    assert [(one.epoch, one.step, one.epochs, one.steps) for one in readings[-5:]] == [
        (5, 3, 7, 3), (6, 1, 7, 2), (6, 2, 7, 2), (7, 1, 7, 2), (7, 2, 7, 2),
    ]  # fmt: skip
    assert readings[-1].eta_s == 0
