"""The figures of classes are scikit-learn's, and a report of many of them stays small."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor

from core.report import of_classes
from core.report.classes import MOST_SHOWN, OTHERS


def drawn(samples: int, classes: int, *, outputs: int | None = None) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    source = torch.Generator().manual_seed(7)
    target = torch.randint(0, classes, (samples,), generator=source)
    scores = torch.randn(samples, outputs or classes, generator=source)
    if (outputs or classes) > 1:
        scores[torch.arange(samples), target] += 1.0
    else:
        scores[:, 0] += target * 2.0 - 1
    return scores, target, tuple(f"c{place}" for place in range(classes))


def test_each_class_has_the_figures_of_scikit_learn() -> None:
    scores, target, names = drawn(400, 5)
    section, _ = of_classes(scores, target, names)
    predicted = scores.argmax(1).numpy()
    told = metrics.classification_report(target.numpy(), predicted, target_names=names, output_dict=True)
    for one in section["each"]:
        expected = told[one["name"]]
        assert (one["precision"], one["recall"], one["f1"], one["support"]) == pytest.approx(
            (expected["precision"], expected["recall"], expected["f1-score"], expected["support"])
        )
    for average, theirs in (("macro", "macro avg"), ("weighted", "weighted avg")):
        for name, value in section[average].items():
            assert value == pytest.approx(told[theirs]["f1-score" if name == "f1" else name])
    assert section["accuracy"] == pytest.approx(told["accuracy"])
    assert section["confusion"]["counts"] == metrics.confusion_matrix(target.numpy(), predicted).tolist()


@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_have_the_curves_of_scikit_learn(outputs: int) -> None:
    scores, target, names = drawn(2000, 2, outputs=outputs)
    section, _ = of_classes(scores, target, names)
    share = (scores.sigmoid()[:, 0] if outputs == 1 else scores.softmax(1)[:, 1]).numpy()
    assert section["roc"]["area"] == pytest.approx(metrics.roc_auc_score(target.numpy(), share), abs=1e-5)
    assert section["precision_recall"]["area"] == pytest.approx(
        metrics.average_precision_score(target.numpy(), share), abs=1e-5
    )
    assert section["calibration"]["brier"] == pytest.approx(metrics.brier_score_loss(target.numpy(), share), abs=1e-6)
    false, true = section["roc"]["false_positive_rate"], section["roc"]["true_positive_rate"]
    assert len(false) <= 200
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(section["roc"]["area"], abs=5e-3), "thinned, but the same curve"


def test_the_best_threshold_has_the_f1_that_is_told() -> None:
    scores, target, names = drawn(500, 2, outputs=1)
    best = of_classes(scores, target, names)[0]["precision_recall"]["best"]
    predicted = (torch.cat([torch.zeros_like(scores), scores], 1).softmax(1)[:, 1] >= best["threshold"]).numpy()
    assert metrics.f1_score(target.numpy(), predicted) == pytest.approx(best["f1"])


def test_the_expected_calibration_error_is_that_of_the_bins() -> None:
    scores, target, names = drawn(1000, 4)
    told = of_classes(scores, target, names)[0]["calibration"]
    bins = [one for one in told["bins"] if one["count"]]
    assert sum(one["count"] for one in bins) == 1000
    gaps = sum(one["count"] / 1000 * abs(one["share"] - one["accuracy"]) for one in bins)
    assert told["expected_error"] == pytest.approx(gaps, abs=1e-4)


def test_a_part_of_one_class_alone_has_no_curves() -> None:
    section, worst = of_classes(torch.tensor([[2.0], [-1.0]]), torch.tensor([1, 1]), ("no", "yes"))
    assert (section["roc"], section["precision_recall"]) == (None, None)
    assert [one["place"] for one in worst] == [1]


def test_the_worst_mistakes_come_first_and_what_is_right_is_none() -> None:
    scores = torch.tensor([[4.0, 0.0], [0.0, 9.0], [1.0, 0.0], [0.0, 3.0]])
    _, worst = of_classes(scores, torch.tensor([1, 0, 0, 0]), ("a", "b"))
    assert [(one["place"], one["true"], one["predicted"]) for one in worst] == [
        (1, "a", "b"),
        (0, "b", "a"),
        (3, "a", "b"),
    ]
    assert worst[0]["loss"] == pytest.approx(9.0001234, abs=1e-4)


def test_of_many_classes_those_with_the_most_mistakes_are_shown() -> None:
    scores, target, names = drawn(3000, 300)
    section, _ = of_classes(scores, target, names)
    shown = section["confusion"]
    assert len(shown["names"]) == len(shown["counts"]) == MOST_SHOWN
    assert shown["names"][-1] == OTHERS
    assert sum(map(sum, shown["counts"])) == 3000
    assert len(section["confused"]) == 20


def test_ten_thousand_classes_are_told_in_a_few_bytes() -> None:
    scores, target, names = drawn(200, 10_000)
    section, worst = of_classes(scores, target, names)
    assert len(section["each"]) == 1000
    assert len(json.dumps([section, worst], allow_nan=False)) < 100_000


def test_scores_that_are_no_numbers_are_null() -> None:
    scores = torch.full((4, 3), torch.nan)
    section, worst = of_classes(scores, torch.tensor([0, 1, 2, 0]), ("a", "b", "c"))
    json.dumps([section, worst], allow_nan=False)
    assert section["calibration"]["brier"] is None
