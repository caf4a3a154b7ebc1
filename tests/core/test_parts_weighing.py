"""Classes and labels weigh what they are told to, and the cost stays a plain mean over samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

import core.parts  # noqa: F401
from core.data import Counts
from core.errors import InvalidSpec, SpecRefused
from core.registry import losses
from core.spec import parse_spec

SCORES = torch.tensor([[0.2, -1.0, 0.4], [1.5, 0.0, -0.3], [0.1, 0.9, 0.0], [-2.0, 0.3, 1.0]])
TARGET = torch.tensor([0, 2, 1, 1])
LOGITS = torch.tensor([[0.3], [-2.0], [5.0]])
SECOND = torch.tensor([1, 0, 0])
WEIGHTS = [0.5, 4.0, 0.0]


def _cost(choice: Any, prediction: Tensor, target: Tensor, counts: Counts | None = None) -> float:
    handed = () if counts is None else (lambda: counts,)
    return float(losses.build(losses.choose(choice), *handed)(prediction, target))


def _weighed(weights: Any, **more: Any) -> dict[str, Any]:
    return {"name": "cross_entropy", "class_weight": weights, **more}


def test_the_cost_is_the_mean_over_samples_of_weight_times_loss() -> None:
    each = functional.cross_entropy(SCORES, TARGET, reduction="none")
    expected = float((torch.tensor([0.5, 0.0, 4.0, 4.0]) * each).sum() / 4)
    assert _cost(_weighed(WEIGHTS), SCORES, TARGET) == pytest.approx(expected)


def test_weights_of_one_change_nothing() -> None:
    assert _cost(_weighed([1, 1, 1]), SCORES, TARGET) == pytest.approx(_cost("cross_entropy", SCORES, TARGET))


def test_pieces_of_a_batch_add_up_to_its_cost() -> None:
    pieces = [_cost(_weighed(WEIGHTS), SCORES[part], TARGET[part]) for part in (slice(0, 1), slice(1, 4))]
    assert (pieces[0] + 3 * pieces[1]) / 4 == pytest.approx(_cost(_weighed(WEIGHTS), SCORES, TARGET))


def test_a_mixed_target_weighs_by_its_shares() -> None:
    choice, mixed = _weighed(WEIGHTS), torch.tensor([[0.3, 0.7, 0.0]])
    whole = [_cost(choice, SCORES[:1], torch.tensor([place])) for place in range(3)]
    assert _cost(choice, SCORES[:1], mixed) == pytest.approx(0.3 * whole[0] + 0.7 * whole[1])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, [0.25, 3.0], [0, 1]])
def test_bce_weighs_and_smooths_as_the_cross_entropy_of_its_logit_and_zero(weights: Any, smoothing: float) -> None:
    settings = {"class_weight": weights, "label_smoothing": smoothing}
    both = torch.cat([torch.zeros(3, 1), LOGITS], dim=1)
    expected = _cost({"name": "cross_entropy", **settings}, both, SECOND)
    assert _cost({"name": "bce", **settings}, LOGITS, SECOND) == pytest.approx(expected)
    assert _cost({"name": "bce", **settings}, LOGITS, SECOND.float()) == pytest.approx(expected)


def test_pos_weight_is_that_of_torch_and_labels_are_smoothed_one_by_one() -> None:
    has = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    logits, weight = torch.tensor([[0.3, -1.0], [2.0, 0.0]]), torch.tensor([3.0, 0.5])
    choice = {"name": "bce", "pos_weight": [3, 0.5], "label_smoothing": 0.2}
    expected = functional.binary_cross_entropy_with_logits(logits, has * 0.8 + 0.1, pos_weight=weight)
    assert _cost(choice, logits, has) == pytest.approx(float(expected))


def test_balanced_classes_weigh_what_scikit_learn_says() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    y = np.array([0] * 6 + [1] * 3 + [2])
    expected = compute_class_weight("balanced", classes=np.unique(y), y=y).tolist()
    balanced = _cost(_weighed("balanced"), SCORES, TARGET, Counts(10, (6, 3, 1)))
    assert balanced == pytest.approx(_cost(_weighed(expected), SCORES, TARGET))


def test_a_balanced_label_weighs_those_without_it_over_those_with_it() -> None:
    logits, has = torch.tensor([[0.3, -1.0]]), torch.tensor([[1.0, 1.0]])
    balanced = _cost({"name": "bce", "pos_weight": "balanced"}, logits, has, Counts(10, (2, 8)))
    assert balanced == pytest.approx(_cost({"name": "bce", "pos_weight": [4, 0.25]}, logits, has))


@pytest.mark.parametrize(
    ("choice", "each"),
    [
        (_weighed("balanced"), (6, 0, 4)),
        ({"name": "bce", "pos_weight": "balanced"}, (3, 0, 1)),
        ({"name": "bce", "pos_weight": "balanced"}, (3, 10, 1)),
    ],
)
def test_what_is_not_there_cannot_be_balanced(choice: Any, each: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSpec, match="at place 1") as caught:
        losses.build(losses.choose(choice), lambda: Counts(10, each))
    assert caught.value.param in ("/loss/class_weight", "/loss/pos_weight")


@pytest.mark.parametrize(
    ("dataset", "loss", "pointer"),
    [
        ("iris", _weighed([1, 2]), "/loss/class_weight"),
        ("iris", _weighed([0, 0, 0]), "/loss/class_weight"),
        ("iris", _weighed([1, -1, 1]), "/loss/class_weight"),
        ("iris", _weighed([1, True, 1]), "/loss/class_weight"),
        ("iris", _weighed("balance"), "/loss/class_weight"),
        ("breast_cancer", {"name": "bce", "class_weight": [1]}, "/loss/class_weight"),
        ("breast_cancer", {"name": "bce", "pos_weight": "balanced"}, "/loss/pos_weight"),
        ("breast_cancer", {"name": "bce", "label_smoothing": 1}, "/loss/label_smoothing"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_their_place(dataset: str, loss: Any, pointer: str) -> None:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": dataset, "model": "linear", "loss": loss})
    assert [problem.pointer for problem in caught.value.problems] == [pointer]
