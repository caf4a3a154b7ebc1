"""The loop from its spec to its events."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import Diverged
from core.events import EpochDone, Finished, RunEvent, Started
from core.job import Reason
from core.loop import pace

TrainJob = Callable[..., Any]

SMALL: dict[str, Any] = {"dataset": "iris", "model": "linear", "optimizer": "sgd", "lr": 0.1, "epochs": 3}
BLIND: dict[str, Any] = {
    **SMALL,
    "dataset": "diabetes",
    "preprocess": {"target": "standard"},
    "split": {"validation": 0},
}


def test_a_run_tells_its_start_each_epoch_and_its_end(train_job: TrainJob) -> None:
    told = train_job(**SMALL)
    assert [type(event) for event in told.events] == [Started, EpochDone, EpochDone, EpochDone, Finished]
    assert [row.epoch for row in told.rows] == [1, 2, 3]
    assert told.finished.reason is Reason.COMPLETED


def test_the_start_says_what_will_happen(train_job: TrainJob) -> None:
    started = train_job(**SMALL, batch_size=50).started
    assert (started.device, started.parameters, started.threads) == ("cpu", 15, 1)
    assert (started.train_samples, started.val_samples) == (120, 30)
    assert (started.epochs, started.steps_per_epoch) == (3, 3)
    assert {"python", "torch", "numpy", "trainwire"} <= started.versions.keys()


def test_an_epoch_row_holds_the_losses_the_metrics_the_lr_and_the_times(train_job: TrainJob) -> None:
    row = train_job(**SMALL, metrics=["accuracy", "f1", "auroc"]).rows[0]
    assert set(row.figures()) == {"train_loss", "val_loss", "val_accuracy", "val_f1", "val_auroc", "lr"}
    assert row.lr == 0.1
    assert 0 < row.data_wait_s < row.epoch_s
    assert row.samples_per_s == pytest.approx(120 / row.epoch_s)


def test_without_a_split_nothing_is_evaluated(train_job: TrainJob) -> None:
    row = train_job(**BLIND).rows[-1]
    assert row.val_loss is None
    assert set(row.figures()) == {"train_loss", "lr"}


def test_the_lr_of_a_row_is_that_of_its_first_step(train_job: TrainJob) -> None:
    rows = train_job(**SMALL, scheduler={"name": "exponential", "gamma": 0.5}).rows
    assert [row.lr for row in rows] == pytest.approx([0.1, 0.05, 0.025])


def test_training_goes_on_from_where_it_stood_to_a_lower_loss(train_job: TrainJob) -> None:
    losses = [row.train_loss for row in train_job(**{**SMALL, "epochs": 20}).rows]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("monitor", "reason"), [("val_accuracy", Reason.EARLY_STOPPED), ("train_loss", Reason.CONVERGED)]
)
def test_a_run_stops_early_for_the_figure_that_stands_still(train_job: TrainJob, monitor: str, reason: Reason) -> None:
    stopping = {"monitor": monitor, "patience": 2, "min_delta": 0.5}
    told = train_job(**{**SMALL, "epochs": 50}, early_stopping=stopping)
    assert told.finished.reason is reason
    assert len(told.rows) < 50


def test_an_epoch_is_marked_when_its_validation_loss_is_the_best_so_far(train_job: TrainJob) -> None:
    told = train_job(**{**SMALL, "epochs": 15, "lr": 0.5, "batch_size": 4})
    lowest = math.inf
    for epoch in told.epochs:
        assert epoch.best == (epoch.row.val_loss < lowest)
        lowest = min(lowest, epoch.row.val_loss)
    assert 1 < sum(epoch.best for epoch in told.epochs) < 15


def test_without_a_split_the_training_loss_says_which_epoch_is_best(train_job: TrainJob) -> None:
    assert [epoch.best for epoch in train_job(**BLIND, batch_size=442).epochs] == [True, True, True]


def diverge(train_job: TrainJob, **fields: Any) -> tuple[list[RunEvent], Diverged]:
    events: list[RunEvent] = []
    with pytest.raises(Diverged) as raised:
        train_job(into=events, **fields)
    return events, raised.value


WILD: dict[str, Any] = {"dataset": "diabetes", "model": "linear", "optimizer": "sgd", "lr": 1000, "epochs": 50}


def test_a_run_whose_cost_explodes_tells_that_epoch_and_then_fails_with_a_hint(train_job: TrainJob) -> None:
    events, error = diverge(train_job, **WILD)
    last = events[-1]
    assert isinstance(last, EpochDone)
    assert not math.isfinite(last.row.train_loss)
    assert not last.best
    assert f"epoch {last.row.epoch}" in error.message
    assert error.param == "/lr"
    assert "100 instead of 1000" in (error.hint or "")
    assert "preprocess.target" in (error.hint or "")


def test_divergence_is_noticed_at_progress_and_leaves_the_same_row(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_end = diverge(train_job, **WILD)[0][-1]
    monkeypatch.setattr(pace, "INTERVAL_S", 0.0)
    at_once = diverge(train_job, **WILD)[0][-1]
    assert isinstance(at_the_end, EpochDone)
    assert isinstance(at_once, EpochDone)
    assert repr(at_once.row.figures()) == repr(at_the_end.row.figures())
    seen_at_once, seen_at_the_end = (one.row.samples_per_s * one.row.epoch_s for one in (at_once, at_the_end))
    assert seen_at_once < seen_at_the_end


def test_progress_counts_the_steps_of_each_epoch(train_job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "INTERVAL_S", 0.0)
    readings = train_job(**{**SMALL, "epochs": 2}, batch_size=60).readings
    assert [(one.epoch, one.step, one.epochs, one.steps) for one in readings] == [
        (1, 1, 2, 2), (1, 2, 2, 2), (2, 1, 2, 2), (2, 2, 2, 2),
    ]  # fmt: skip
    assert readings[-1].eta_s == 0


def test_watching_closely_changes_no_figure(train_job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = train_job(**SMALL).figures
    monkeypatch.setattr(pace, "INTERVAL_S", 0.0)
    assert train_job(**SMALL).figures == alone


def test_clipped_gradients_keep_steps_small(train_job: TrainJob) -> None:
    free, tamed = (train_job(**SMALL, **extra).rows for extra in ({}, {"clip_grad_norm": 1e-3}))
    assert tamed[-1].train_loss > free[-1].train_loss


def test_drop_last_leaves_out_the_rest_of_the_epoch(train_job: TrainJob) -> None:
    told = train_job(**SMALL, batch_size=50, loader={"drop_last": True})
    assert told.started.steps_per_epoch == 2
    row = told.rows[0]
    assert row.samples_per_s * row.epoch_s == pytest.approx(100)


def test_lbfgs_asks_for_the_cost_as_often_as_it_wants(train_job: TrainJob) -> None:
    fields = {**BLIND, "optimizer": "lbfgs", "lr": 1.0, "batch_size": 442}
    assert train_job(**fields).rows[-1].train_loss == pytest.approx(0.482252, abs=1e-4)


@pytest.mark.parametrize(
    "model",
    [{"name": "cnn", "channels": [4]}, {"name": "mlp", "hidden": [16], "batch_norm": True, "dropout": 0.2}],
    ids=["cnn", "mlp"],
)
def test_images_train_in_every_model(train_job: TrainJob, model: dict[str, Any]) -> None:
    rows = train_job(dataset="digits", model=model, optimizer="adam", lr=0.01, epochs=2).rows
    assert rows[-1].metrics["val_accuracy"] > 0.7


def test_two_classes_train_under_either_loss(train_job: TrainJob) -> None:
    for loss in ("bce", "cross_entropy"):
        fields = {"dataset": "breast_cancer", "loss": loss, "metrics": ["accuracy", "f1", "auroc"]}
        metrics = train_job(**{**SMALL, **fields}).rows[-1].metrics
        assert min(metrics.values()) > 0.9


def test_metrics_of_numbers_are_in_the_targets_own_unit(train_job: TrainJob) -> None:
    fields = {**SMALL, "dataset": "diabetes", "metrics": ["mae", "rmse", "r2"], "epochs": 20, "lr": 0.01}
    row = train_job(**fields, preprocess={"target": "standard"}).rows[-1]
    deviation = 77.0  # of the disease's progression, 25 to 346
    assert row.metrics["val_rmse"] == pytest.approx(deviation * math.sqrt(row.val_loss), rel=0.05)
    assert 0.2 < row.metrics["val_r2"] < 0.7


def test_a_metric_that_is_not_defined_on_the_split_is_nan(train_job: TrainJob) -> None:
    one_held = {"validation": 0.1, "stratify": False}
    moons = {"dataset": {"name": "moons", "samples": 10}, "model": "linear", "split": one_held, "epochs": 1}
    (row,) = train_job(**moons, metrics=["auroc", "accuracy"]).rows
    assert math.isnan(row.metrics["val_auroc"])
    assert row.metrics["val_accuracy"] in {0, 1}
