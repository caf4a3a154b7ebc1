"""Metrics over a whole split, by hand and by torchmetrics."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor
from torchmetrics import Metric

import core.parts  # noqa: F401
from core.data import Task
from core.registry import metrics

SCORES = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
CLASSES = torch.tensor([0, 1, 2, 2, 0])
CHANCE = torch.tensor([0.9, 0.2, 0.6, 0.4])
TWO = torch.tensor([1, 0, 0, 1])
NUMBERS = torch.tensor([[1.0], [2.0], [3.0]])


def _measured(name: str, classes: int | None, *batches: tuple[Tensor, Tensor]) -> float:
    metric = metrics.build(metrics.choose(name), classes)
    assert isinstance(metric, Metric)
    for prediction, target in batches:
        metric.update(prediction, target)
    return float(metric.compute())


@pytest.mark.parametrize(
    ("name", "expected"),
    # f1 of the classes: 1, 2/3 and 2/3; each class's own samples have its highest scores
    [("accuracy", 0.8), ("f1", (1 + 2 / 3 + 2 / 3) / 3), ("auroc", 1.0)],
)
def test_metrics_of_many_classes_take_their_probabilities(name: str, expected: float) -> None:
    assert _measured(name, 3, (SCORES, CLASSES)) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "expected"), [("accuracy", 0.5), ("f1", 0.5), ("auroc", 0.75)])
def test_metrics_of_two_classes_take_the_probability_of_the_second(name: str, expected: float) -> None:
    assert _measured(name, 2, (CHANCE, TWO)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    # right are 2 of 3 samples of each label; f1 of the labels: 2/3 and 0.8; of the first, no order is wrong
    [("accuracy", 2 / 3), ("f1", (2 / 3 + 0.8) / 2), ("auroc", (1 + 0.5) / 2), ("exact_match", 2 / 3)],
)
def test_metrics_of_labels_take_the_probability_of_each(name: str, expected: float) -> None:
    chance = torch.tensor([[0.9, 0.6], [0.6, 0.7], [0.2, 0.8]])
    has = torch.tensor([[1, 1], [0, 0], [0, 1]])
    metric = metrics.build(metrics.choose(name), None, 2)
    metric.update(chance, has)
    assert float(metric.compute()) == pytest.approx(expected)


@pytest.mark.parametrize(("name", "expected"), [("mae", 1.0), ("rmse", (5 / 3) ** 0.5), ("r2", 1 - 5 / 2)])
def test_metrics_of_numbers_take_columns(name: str, expected: float) -> None:
    prediction = NUMBERS + torch.tensor([[2.0], [0.0], [1.0]])
    assert _measured(name, None, (prediction, NUMBERS)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "classes", "prediction", "target"),
    [(name, 3, SCORES, CLASSES) for name in ("accuracy", "f1", "auroc")]
    + [(name, 2, CHANCE, TWO) for name in ("accuracy", "f1", "auroc")]
    + [(name, None, NUMBERS**2, NUMBERS) for name in ("mae", "rmse", "r2")],
)
def test_a_metric_is_of_the_whole_split_and_never_a_mean_of_batch_means(
    name: str, classes: int | None, prediction: Tensor, target: Tensor
) -> None:
    whole = _measured(name, classes, (prediction, target))
    uneven = _measured(name, classes, (prediction[:2], target[:2]), (prediction[2:], target[2:]))
    assert uneven == pytest.approx(whole)


def test_every_metric_says_which_way_is_better_and_what_for() -> None:
    for name in metrics.names():
        facts = metrics.get(name).facts
        assert facts["mode"] in {"max", "min"}
        assert set(facts["tasks"]) <= set(get_args(Task))
