"""Forks: the parents' epochs again, then the job's own spec, interrupted or not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.checkpoint import Checkpoint, Occasion, Stage
from core.events import Finished, Noticed, Started
from core.job import Progress, Reason
from core.loop import assembly, pace, stages
from core.spec import parse_spec
from tests.core.loop.interrupting import Attempt, Bench, bits, pieced

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


def stage(fields: dict[str, Any], until: int) -> Stage:
    """As a store has it: the spec with its defaults, as JSON."""
    return Stage(parse_spec(fields).model_dump(mode="json"), until)


def state(kept: Checkpoint) -> Any:
    return torch.load(f"{kept.path}/state.pt", weights_only=True)


def up_to(parent: Attempt, epoch: int) -> list[Checkpoint]:
    return [kept for kept in parent.checkpoints if (kept.epoch, kept.step) <= (epoch, 0)]


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
    "seed": ({"seed": 7}, []),
    "dropout": ({"model": {**JOB["model"], "dropout": 0.6}}, []),
    "activation": ({"model": {**JOB["model"], "activation": "tanh"}}, []),
    "metrics": ({"metrics": ["f1"]}, []),
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


def test_a_schedule_that_starts_anew_runs_over_the_epochs_that_remain(bench: Bench) -> None:
    fields = {**JOB, "epochs": 8, "lr": 0.2, "scheduler": {"name": "cosine", "warmup_epochs": 1}}
    fork = bench.attempt(fields, lineage=[stage(JOB, 4)])
    alone = bench.attempt({**fields, "epochs": 4})
    assert [row.lr for row in fork.rows[4:]] == [row.lr for row in alone.rows]
    facts = fork.every(Noticed)[0].facts
    assert (facts["lr"], facts["epochs"], facts["changed"]) == (0.2, 4, ["lr", "scheduler", "epochs"])


@pytest.mark.parametrize("scheduler", ["cosine", "one_cycle", "exponential", "constant"])
def test_a_warm_up_that_the_remaining_epochs_have_no_room_for_is_cut(bench: Bench, scheduler: str) -> None:
    fields = {**JOB, "lr": 0.2, "scheduler": {"name": scheduler, "warmup_epochs": 3}}
    for until in (3, 4):
        fork = bench.attempt(fields, lineage=[stage(JOB, until)])
        for kept in fork.checkpoints[-6::2]:
            again = bench.attempt(fields, kept, lineage=[stage(JOB, until)])
            assert pieced(fork, kept, again) == fork.bits


def test_torchs_schedule_starts_at_the_new_lr(bench: Bench) -> None:
    told = bench.attempt({**JOB, "lr": 0.2}, lineage=[stage(JOB, 4)])
    kept = next(one for one in told.checkpoints if (one.epoch, one.step) == (4, 1))
    parts = state(kept)["parts"]
    assert parts["optimizer"]["param_groups"][0]["initial_lr"] == 0.2
    assert parts["schedule"]["main"]["base_lrs"] == [0.2]


def test_another_seed_draws_other_numbers(bench: Bench) -> None:
    job = {**JOB, "loader": {"shuffle": False}}
    same, other = (bench.attempt({**job, "seed": seed}, lineage=[stage(job, 2)]) for seed in (0, 7))
    assert other.bits[:2] == same.bits[:2]
    assert other.bits[2:] != same.bits[2:]


def test_what_a_rebuilt_model_draws_for_its_first_weights_is_drawn_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, make = {**JOB, "model": {**JOB["model"], "activation": "tanh"}}, assembly.make_model
    plain = bench.attempt(fields, lineage=[stage(JOB, 2)])
    monkeypatch.setattr(stages, "make_model", lambda spec: (torch.rand(3), make(spec))[1])
    assert bench.attempt(fields, lineage=[stage(JOB, 2)]).bits == plain.bits


def test_other_threads_compute_from_the_fork_on(bench: Bench, parent: Attempt) -> None:
    fields, lineage = {**JOB, "resources": {"threads": 2}}, [stage(JOB, 2)]
    fork = bench.attempt(fields, up_to(parent, 2)[-3], lineage=lineage)
    threads = [state(kept)["fingerprint"]["threads"] for kept in fork.checkpoints]
    assert threads == [1] * threads.count(1) + [2] * threads.count(2)
    assert threads.count(1) == 1
    for kept in (fork.checkpoints[0], fork.checkpoints[-1]):
        again = bench.attempt(fields, kept, lineage=lineage).resumed
        assert again
        assert again.inexact is None


def test_the_best_epochs_of_the_parent_count_among_the_forks(bench: Bench) -> None:
    job = {**JOB, "checkpoints": {**ONLY_ASKED, "keep_best": 1}}
    fork = bench.attempt({**job, "lr": 100.0}, lineage=[stage(job, 3)])
    best = [kept.epoch for kept in fork.checkpoints if kept.occasion is Occasion.BEST]
    assert best
    assert max(best) <= 3


def test_the_same_optimizer_goes_on_with_its_state(bench: Bench) -> None:
    job = {**JOB, "scheduler": "constant", "early_stopping": None}
    carried = bench.attempt({**job, "name": "carried"}, lineage=[stage(job, 2)])
    slower = {"name": "sgd", "momentum": 0.9, "fused": False}
    fresh = bench.attempt({**job, "optimizer": slower}, lineage=[stage(job, 2)])
    assert carried.bits == bench.attempt(job).bits
    assert fresh.bits[2:] != carried.bits[2:]


def test_early_stopping_never_ends_an_earlier_stage(bench: Bench) -> None:
    stopping = {"monitor": "val_loss", "patience": 1, "min_delta": 9.0}
    parent = {**JOB, "early_stopping": stopping}
    assert len(bench.attempt(parent).rows) == 2
    fork = bench.attempt({**JOB, "early_stopping": None}, lineage=[stage(parent, 4)])
    assert len(fork.rows) == 5
    assert fork.every(Finished)[0].reason is Reason.COMPLETED


def test_a_fork_of_a_run_that_stood_still_gets_its_patience_anew(bench: Bench) -> None:
    stopping = {"monitor": "val_loss", "patience": 2, "min_delta": 9.0}
    job = {**JOB, "early_stopping": stopping, "epochs": 9}
    ended = len(bench.attempt(job).rows)
    assert ended == 3
    same = bench.attempt({**job, "name": "same"}, lineage=[stage(job, ended)])
    assert len(same.rows) == ended, "unchanged it has nothing left to do"
    fork = bench.attempt({**job, "lr": 0.01}, lineage=[stage(job, ended)])
    assert len(fork.rows) == ended + 2


def test_the_best_weights_of_the_parent_may_be_the_forks(bench: Bench, parent: Attempt) -> None:
    fork = bench.attempt({**JOB, "lr": 100.0}, lineage=[stage(JOB, 2)])
    assert fork.epochs_marked_best[-1] <= 2
    assert fork.kept_epoch == fork.epochs_marked_best[-1]
    assert parent.kept_epoch > 2


def test_weights_that_were_not_kept_are_no_ones_best(bench: Bench) -> None:
    job = {**JOB, "early_stopping": None}
    fork = bench.attempt({**JOB, "lr": 100.0}, lineage=[stage(job, 2)])
    assert fork.kept_epoch > 2, "the best of those that it could keep"
    plain = bench.attempt({**job, "lr": 100.0}, lineage=[stage(JOB, 2)])
    assert plain.kept_epoch == 5, "nobody asks for the best any more"


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
