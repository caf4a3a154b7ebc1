"""Folds in one run: each begins anew, the best one's weights stay, and all figures are put together."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from core.job import EpochRow, Reason
from core.loop.rounds import Ended, Rounds
from core.loop.stopping import Watch
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench, pieced

JOB: dict[str, Any] = {"dataset": "iris", "model": "linear", "epochs": 3, "lr": 0.05, "split": {"folds": 3}}


def row(epoch: int, cost: float, fold: int = 1, **metrics: float) -> EpochRow:
    return EpochRow(epoch, 0.5, cost, metrics, 0.1, 1.0, 1.0, 0.0, fold=fold)


def ended(*costs: float) -> Rounds:
    rounds = Rounds()
    for place, cost in enumerate(costs, 1):
        one = row(place, cost, place, val_auroc=cost / 2)
        rounds.ended.append(Ended(one, one if cost == cost else None, one, None))  # noqa: PLR0124  (NaN)
    return rounds


def test_the_best_round_is_told_by_the_monitored_figure() -> None:
    assert ended(0.3, 0.1, 0.1).chosen(Watch("val_loss")) == 1
    assert ended(0.3, 0.1, 0.4).chosen(Watch("val_auroc", rises=True)) == 2
    assert ended(math.nan, 0.1).chosen(Watch("val_loss")) == 1
    assert ended(math.nan, math.nan).chosen(Watch("val_loss")) == 0


def test_the_best_epoch_is_that_of_all_rounds() -> None:
    watch = Watch("val_loss")
    assert Rounds().best(watch) is None
    watch.see(row(4, 0.2, 3))
    best = ended(0.3, 0.1).best(watch)
    assert best is not None
    assert best.epoch == 2
    watch.see(row(5, 0.05, 3))
    assert ended(0.3, 0.1).best(watch) is watch.best


def test_figures_of_folds_come_with_mean_and_standard_deviation() -> None:
    summary = ended(0.2, 0.4).summary()
    assert summary["figures"][1] == {"fold": 2, "epoch": 2, "train_loss": 0.5, "val_loss": 0.4, "val_auroc": 0.2}
    assert summary["mean"] == {"train_loss": 0.5, "val_loss": pytest.approx(0.3), "val_auroc": pytest.approx(0.15)}
    assert summary["std"]["val_loss"] == pytest.approx(0.02**0.5)
    assert summary["std"]["train_loss"] == 0.0


def test_a_figure_that_one_fold_has_not_has_no_mean() -> None:
    summary = ended(0.2, math.nan).summary()
    assert summary["mean"]["val_loss"] is None
    assert summary["std"]["nonfinite"] == {"val_loss": "nan", "val_auroc": "nan"}
    assert summary["figures"][1]["nonfinite"] == {"val_loss": "nan", "val_auroc": "nan"}
    json.dumps(summary, allow_nan=False)


def test_what_rounds_came_to_is_restored() -> None:
    before, after = ended(0.3, 0.1), Rounds()
    before.ended.append(Ended(row(3, 0.2), None, row(3, 0.2), Reason.EARLY_STOPPED))
    after.load_state_dict(before.state_dict())
    assert after.ended == before.ended


def test_the_end_is_early_when_every_round_was() -> None:
    rounds, one = Rounds(), row(1, 0.5)
    rounds.ended = [Ended(one, one, one, Reason.EARLY_STOPPED)] * 2
    assert rounds.reason == "early_stopped"
    rounds.ended.insert(1, Ended(one, one, one, None))
    assert rounds.reason == "completed"


def test_epochs_count_on_where_a_fold_stopped_early(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "epochs": 6, "early_stopping": {"patience": 1, "min_delta": 0.09}})
    assert [row.epoch for row in told.rows] == list(range(1, len(told.rows) + 1))
    assert len(told.rows) < 18
    assert told.started.epochs == 18
    assert told.finished.reason is Reason.EARLY_STOPPED
    assert [row.fold for row in told.rows] == sorted(row.fold or 0 for row in told.rows)
    marked = [epoch.row.val_loss or 0 for epoch in told.epochs if epoch.best]
    assert marked == sorted(marked, reverse=True), "the best so far is the best of the job"


@pytest.mark.parametrize("rounds", [{}, {"split": {}, "seeds": 2}], ids=["folds", "seeds"])
def test_a_run_goes_on_exactly_behind_rounds_that_stopped_early(bench: Bench, rounds: dict[str, Any]) -> None:
    job = {**JOB, "epochs": 6, "early_stopping": {"patience": 1, "min_delta": 0.09}, **rounds}
    first = bench.attempt({**job, "checkpoints": {"every_epochs": 1, "keep_last": 20}})
    later = first.checkpoints[-1]
    again = bench.attempt(job, later)
    assert (again.notices, again.resumed and again.resumed.epoch) == ([], later.epoch)
    assert pieced(first, later, again) == first.bits


@pytest.mark.parametrize("stopping", [None, {"patience": 9}])
def test_the_card_says_which_fold_was_kept(train_job: TrainJob, stopping: dict[str, int] | None) -> None:
    told = train_job(**JOB, early_stopping=stopping)
    card = json.loads((told.folder / "model.json").read_text())
    folds = told.finished.folds
    assert folds is not None
    costs = [one["val_loss"] for one in folds["figures"]]
    assert card["weights"]["fold"] == 1 + costs.index(min(costs))
    assert card["weights"]["kept"] == ("last" if stopping is None else "best")
    kept = next(one for one in folds["figures"] if one["fold"] == card["weights"]["fold"])
    assert card["weights"]["epoch"] == kept["epoch"]
    assert card["figures"]["folds"] == folds


def test_a_job_without_folds_has_none(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "split": {}, "epochs": 1})
    assert told.finished.folds is None
    assert told.rows[0].fold is None
    assert "fold" not in told.rows[0].public()
