"""Several seeds in one run: each is a run of its own over the same data, and all come to a mean with its interval."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.epochs import planned_epochs
from core.errors import SpecRefused
from core.job import Reason
from core.loading import data
from core.loop import load_model
from core.spec import parse_spec
from core.spec.patching import patched
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import After, Bench, pieced

MLP = {"name": "mlp", "hidden": [8], "dropout": 0.2}
JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 60, "noise": 4},
    "model": MLP,
    "lr": 0.05,
    "batch_size": 16,
    "epochs": 2,
    "split": {"test": 0.2},
}


def test_each_seed_is_the_job_of_that_seed_to_the_last_bit(bench: Bench) -> None:
    whole = bench.attempt({**JOB, "seed": 7, "seeds": 3, "early_stopping": {}})
    alone = [bench.attempt({**JOB, "seed": seed, "early_stopping": {}}) for seed in (7, 8, 9)]
    assert [row.figures() for row in whole.rows] == [row.figures() for one in alone for row in one.rows]
    assert [(row.epoch, row.seed) for row in whole.rows] == [(1, 7), (2, 7), (3, 8), (4, 8), (5, 9), (6, 9)]
    kept = [min(row.val_loss or 0.0 for row in one.rows) for one in alone]
    best = alone[kept.index(min(kept))]
    assert whole.bits[-1][1:3] == best.bits[-1][1:3], "the best seed's weights are kept, and tested"


def test_the_mean_comes_with_the_interval_of_students_t(train_job: TrainJob) -> None:
    told = train_job(**JOB, seeds=3)
    assert told.started.epochs == 6
    seeds = told.finished.seeds
    assert seeds is not None
    found = [one["val_loss"] for one in seeds["figures"]]
    assert [(one["seed"], one["epoch"]) for one in seeds["figures"]] == [(0, 2), (1, 4), (2, 6)]
    mean = math.fsum(found) / 3
    std = math.sqrt(sum((one - mean) ** 2 for one in found) / 2)
    assert seeds["mean"]["val_loss"] == pytest.approx(mean)
    assert seeds["std"]["val_loss"] == pytest.approx(std)
    # 4.302653: the 97.5th percentile of Student's t with two degrees of freedom, from any table of it
    assert seeds["margin"]["val_loss"] == pytest.approx(4.302653 * std / math.sqrt(3), rel=1e-6)
    assert told.finished.folds is None


def test_the_card_says_which_seed_was_kept_and_what_all_came_to(train_job: TrainJob) -> None:
    told = train_job(**JOB, seeds=2)
    costs = [one["val_loss"] for one in (told.finished.seeds or {})["figures"]]
    chosen = costs.index(min(costs))
    assert told.card["weights"]["seed"] == told.card["spec"]["seed"] == chosen
    assert told.card["spec"]["seeds"] == 1
    assert told.card["figures"]["seeds"] == told.finished.seeds
    load_model(told.folder)


def test_a_job_of_one_seed_tells_of_none(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    assert (told.finished.seeds, told.rows[0].seed, told.card["weights"]["seed"]) == (None, None, None)
    assert "seed" not in told.rows[0].public()


@pytest.mark.parametrize("more", [{}, {"split": {"folds": 3}}], ids=["seeds", "folds"])
def test_data_is_made_anew_only_where_another_part_of_it_trains(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    made: list[int | None] = []
    make = data.make
    monkeypatch.setattr(data, "make", lambda spec, **kept: made.append(spec.split.fold) or make(spec, **kept))  # type: ignore[func-returns-value]
    train_job(**JOB | {"epochs": 1} | more | ({} if more else {"seeds": 3}))
    assert made[:3] == ([1, 2, 3] if more else [None])


def test_seeds_go_on_exactly_from_every_batch_and_between_them(bench: Bench) -> None:
    job = {**JOB, "seeds": 2, "checkpoints": {"every_s": 0}}
    first = bench.attempt(job)
    assert len(first.checkpoints) > 8
    for kept in first.checkpoints:
        assert pieced(first, kept, bench.attempt(job, kept)) == first.bits


def test_seeds_stop_when_they_are_asked_to_and_go_on(bench: Bench) -> None:
    job = {**JOB, "seeds": 3}
    whole, first = bench.attempt(job), bench.attempt(job, stop=After(9))
    assert first.stopped
    kept = first.checkpoints[-1]
    assert pieced(first, kept, bench.attempt(job, kept)) == whole.bits


def test_the_end_is_early_when_every_seed_was(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "epochs": 9}, seeds=2, early_stopping={"patience": 1, "min_delta": 100})
    assert told.finished.reason is Reason.EARLY_STOPPED
    assert [row.seed for row in told.rows] == [0, 0, 1, 1]


def test_folds_and_seeds_are_not_trained_together() -> None:
    with pytest.raises(SpecRefused) as refused:
        parse_spec({**JOB, "seeds": 3, "split": {"folds": 4}})
    (problem,) = refused.value.problems
    assert problem.pointer == "/seeds"
    assert "4 folds" in problem.message
    one = parse_spec({**JOB, "seeds": 3, "split": {"folds": 4, "fold": 2}})
    assert [(each.seed, each.split.fold) for each in one.rounds] == [(0, 2), (1, 2), (2, 2)]


def test_the_last_seed_is_a_seed_too() -> None:
    with pytest.raises(SpecRefused) as refused:
        parse_spec({**JOB, "seed": 2**63 - 2, "seeds": 3})
    assert [problem.pointer for problem in refused.value.problems] == ["/seed"]
    assert parse_spec({**JOB, "seed": 2**63 - 2, "seeds": 2}).rounds[-1].seed == 2**63 - 1


def test_the_epochs_of_all_seeds_are_planned() -> None:
    assert planned_epochs(parse_spec({**JOB, "seeds": 5}).model_dump(mode="json")) == 10
    assert planned_epochs({"epochs": 3}) == 3


def test_a_job_of_several_seeds_is_not_forked_nor_made_of_one() -> None:
    with pytest.raises(SpecRefused, match="trains 3 seeds anew"):
        patched(parse_spec({**JOB, "seeds": 3}).model_dump(mode="json"), {"lr": 0.1}, epoch=1)
    with pytest.raises(SpecRefused) as refused:
        patched(parse_spec(JOB).model_dump(mode="json"), {"seeds": 3}, epoch=1)
    assert [problem.pointer for problem in refused.value.problems] == ["/patch/seeds"]
