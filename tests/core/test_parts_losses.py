"""Losses are means over the batch, and never broadcast."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import core.parts  # noqa: F401
from core.errors import InvalidSpec
from core.registry import losses

PLACES = [(0, 0), (0, 1), (1, 0), (1, 1)]
NUMBERS = torch.tensor([[1.0], [2.0], [4.0]])


def _loss(choice: Any, prediction: Tensor, target: Tensor) -> float:
    loss: Tensor = losses.build(losses.choose(choice))(prediction, target)
    assert loss.shape == ()
    return float(loss)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("mse", (1 + 4 + 16) / 3),
        ("mae", 7 / 3),
        ("huber", (0.5 + 1.5 + 3.5) / 3),
        ({"name": "huber", "delta": 100.0}, (0.5 + 2 + 8) / 3),
    ],
)
def test_a_loss_of_numbers_is_the_mean_over_the_batch(choice: Any, expected: float) -> None:
    assert _loss(choice, torch.zeros(3, 1), NUMBERS) == pytest.approx(expected)


def test_cross_entropy_of_even_scores_is_the_logarithm_of_the_classes() -> None:
    assert _loss("cross_entropy", torch.zeros(4, 5), torch.tensor([0, 1, 2, 4])) == pytest.approx(math.log(5))


def test_label_smoothing_keeps_a_sure_prediction_from_costing_nothing() -> None:
    sure, target = torch.tensor([[100.0, 0.0]]), torch.tensor([0])
    assert _loss("cross_entropy", sure, target) == pytest.approx(0)
    assert _loss({"name": "cross_entropy", "label_smoothing": 0.1}, sure, target) == pytest.approx(5.0)


def test_bce_of_labels_is_the_mean_over_them_and_the_samples() -> None:
    logits, has = torch.tensor([[0.3, -1.0], [2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    each = [_loss("bce", logits[row, label].view(1, 1), has[row, label].long().view(1)) for row, label in PLACES]
    assert _loss("bce", logits, has) == pytest.approx(sum(each) / 4)


def test_bce_of_one_logit_is_the_cross_entropy_of_that_logit_and_zero() -> None:
    logit, target = torch.tensor([[0.3], [-2.0], [5.0]]), torch.tensor([1, 0, 0])
    both = torch.cat([torch.zeros(3, 1), logit], dim=1)
    assert _loss("bce", logit, target) == pytest.approx(_loss("cross_entropy", both, target))


@pytest.mark.parametrize(
    ("name", "prediction", "target"),
    [
        ("mse", torch.zeros(3, 1), torch.zeros(3)),
        ("mae", torch.zeros(3), torch.zeros(3, 1)),
        ("huber", torch.zeros(3, 1), torch.zeros(1, 1)),
        ("mse", torch.zeros(3, 2), torch.zeros(3, 1)),
        ("bce", torch.zeros(3, 2), torch.zeros(3, 1)),
        ("cross_entropy", torch.zeros(3, 2), torch.zeros(4, dtype=torch.int64)),
        ("cross_entropy", torch.zeros(3, 2), torch.zeros(3, 3)),
        ("cross_entropy", torch.zeros(3), torch.zeros(3, dtype=torch.int64)),
        ("bce", torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64)),
        ("bce", torch.zeros(3), torch.zeros(3, dtype=torch.int64)),
        ("bce", torch.zeros(3, 2), torch.zeros(2, 3)),
    ],
)
def test_shapes_that_would_be_broadcast_are_refused(name: str, prediction: Tensor, target: Tensor) -> None:
    with pytest.raises(InvalidSpec, match="do not fit this loss") as caught:
        _loss(name, prediction, target)
    assert caught.value.param == "/loss"
