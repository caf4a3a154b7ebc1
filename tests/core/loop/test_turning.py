"""What a fork takes over from its parent, and what begins anew."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.checkpoint import Occasion
from core.events import Finished, Noticed
from core.job import Reason
from core.loop import assembly, stages
from tests.core.loop.interrupting import Attempt, Bench, pieced, stage, state, up_to

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
