"""The test part: looked at once, at the end, with the weights that are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.loading import data
from core.loop import evaluate, load_model
from core.spec import parse_spec

TrainJob = Callable[..., Any]

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": "linear",
    "optimizer": "sgd",
    "lr": 0.5,
    "batch_size": 4,
    "epochs": 8,
    "split": {"test": 0.3},
}
BEST = {"monitor": "val_loss", "patience": 50}


@pytest.mark.parametrize("stopping", [None, BEST], ids=["last", "best"])
def test_the_figures_are_those_of_the_weights_that_are_left(
    train_job: TrainJob, cache: Path, stopping: dict[str, Any] | None
) -> None:
    told = train_job(**JOB, early_stopping=stopping)
    test = data.make(parse_spec(JOB), cache=cache).test
    assert test is not None
    with torch.no_grad():
        scores = load_model(told.folder)(test.x)
    loss = torch.nn.functional.cross_entropy(scores, test.y).item()
    assert told.finished.test == pytest.approx(
        {"loss": loss, "accuracy": (scores.argmax(1) == test.y).double().mean().item()}, rel=1e-6
    )
    assert told.card["figures"]["test"] == told.finished.test
    assert told.card["weights"]["kept"] == ("best" if stopping else "last")


def test_the_start_says_how_many_samples_test(train_job: TrainJob) -> None:
    started = train_job(**JOB).started
    assert (started.train_samples, started.val_samples, started.test_samples) == (75, 30, 45)


def test_the_test_part_is_looked_at_once(train_job: TrainJob, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    judge = evaluate.judge

    def judged(run: Any, samples: Any, *see: Any) -> Any:
        seen.append(len(samples.y))
        return judge(run, samples, *see)

    monkeypatch.setattr(evaluate, "judge", judged)
    train_job(**JOB)
    assert seen == [30] * 8 + [45]


def test_without_a_test_part_there_are_no_test_figures(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "split": {}})
    assert told.finished.test is None
    assert told.card["figures"]["test"] is None


def test_a_job_may_test_without_validating(train_job: TrainJob) -> None:
    told = train_job(**{**JOB, "split": {"validation": 0, "test": 0.3}})
    assert set(told.rows[-1].figures()) == {"train_loss", "lr"}
    assert set(told.finished.test) == {"loss", "accuracy"}


def test_numbers_are_tested_in_their_own_unit(train_job: TrainJob) -> None:
    told = train_job(
        dataset="diabetes", model="linear", epochs=2, split={"test": 0.2}, preprocess={"target": "standard"}
    )
    assert told.finished.test["loss"] < 3
    assert told.finished.test["rmse"] > 30


def test_a_figure_that_is_not_defined_on_the_test_part_is_nan(train_job: TrainJob) -> None:
    few = {"validation": 0.3, "test": 0.01, "stratify": False}
    told = train_job(**{**JOB, "split": few, "epochs": 1, "metrics": ["auroc"]})
    assert told.card["figures"]["test"]["nonfinite"] == {"auroc": "nan"}
