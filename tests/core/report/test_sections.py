"""What a report says of labels, numbers, tokens and reconstructions, beside the formulas themselves."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from sklearn import metrics

from core.report import Predicted, Reconstructed, of_labels, of_numbers


def test_each_label_has_the_figures_of_scikit_learn() -> None:
    source = torch.Generator().manual_seed(3)
    target = torch.randint(0, 2, (300, 3), generator=source).float()
    target[:, 2] = 0
    scores = torch.randn(300, 3, generator=source) + target
    section, worst = of_labels(scores, target, ("a", "b", "never"))
    predicted = (scores > 0).numpy()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(target.numpy(), predicted, zero_division=0)
    for place, one in enumerate(section["each"]):
        assert (one["precision"], one["recall"], one["f1"]) == pytest.approx(
            (precision[place], recall[place], f1[place])
        )
        assert one["support"] == support[place]
    assert section["each"][0]["area"] == pytest.approx(metrics.roc_auc_score(target[:, 0], scores[:, 0]), abs=1e-5)
    assert (section["each"][2]["area"], section["each"][2]["best"]) == (None, None)
    assert section["exact_match"] == pytest.approx(metrics.accuracy_score(target.numpy(), predicted))
    assert section["micro"]["f1"] == pytest.approx(metrics.f1_score(target.numpy(), predicted, average="micro"))
    losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, target, reduction="none").mean(1)
    assert worst[0]["place"] == int(losses.argmax())


def test_numbers_are_told_in_their_own_unit() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(100, 20, (500, 1)).astype(np.float32)
    made = true + rng.normal(1, 5, (500, 1)).astype(np.float32)
    section, worst = of_numbers(torch.from_numpy(made), torch.from_numpy(true), ("rides",))
    [one] = section["each"]
    assert one["r2"] == pytest.approx(metrics.r2_score(true, made), abs=1e-5)
    assert one["mae"] == pytest.approx(metrics.mean_absolute_error(true, made), rel=1e-5)
    assert one["rmse"] == pytest.approx(metrics.root_mean_squared_error(true, made), rel=1e-5)
    assert one["mean_residual"] == pytest.approx((made - true).mean(), rel=1e-3)
    assert one["quantiles"]["0.5"] == pytest.approx(np.median(made - true), abs=1e-4)
    assert sum(one["histogram"]["counts"]) == 500
    assert worst[0]["error"] == pytest.approx(np.abs(made - true).max())
    assert worst[0]["place"] == int(np.abs(made - true).argmax())


def test_targets_of_different_units_count_alike_among_the_worst() -> None:
    true = torch.tensor([[0.0, 0.0], [1.0, 1000.0], [0.0, 1000.0], [1.0, 0.0]])
    made = true.clone()
    made[0, 0] = 1.0  # as far off as can be, in its unit
    made[1, 1] = 1010.0
    _, worst = of_numbers(made, true, ("share", "metres"))
    assert [one["place"] for one in worst[:2]] == [0, 1]


def test_a_long_forecast_is_told_at_a_hundred_steps() -> None:
    true = torch.randn(40, 5000)
    section, worst = of_numbers(true + 1, true, tuple(f"x +{step}" for step in range(1, 5001)))
    names = [one["name"] for one in section["each"]]
    assert (len(names), names[0], names[-1]) == (100, "x +1", "x +5000")
    assert len(json.dumps([section, worst], allow_nan=False)) < 1_000_000


def test_numbers_that_are_none_do_not_keep_a_report_from_being_made() -> None:
    made = torch.tensor([[math.nan], [math.inf], [1.0]])
    section, worst = of_numbers(made, torch.zeros(3, 1), ("x",))
    json.dumps([section, worst], allow_nan=False)
    assert section["each"][0]["rmse"] is None
    assert worst[0]["predicted"] == [None]


def test_tokens_are_told_by_their_place_and_padding_does_not_count() -> None:
    scores = torch.zeros(2, 3, 4)
    scores[:, 2, 1] = 50.0  # sure of what comes last
    target = torch.tensor([[1, 2, 1], [0, 3, 1]])
    seen = Predicted(3, torch.tensor([0, 1, 2, 3]), padding=0)
    seen.see(scores[:1], target[:1])
    seen.see(scores[1:], target[1:])
    told = seen.section()
    assert (told["tokens"], told["bytes"]) == (5, 8)
    assert told["loss"] == pytest.approx(3 * math.log(4) / 5)
    assert told["perplexity"] == pytest.approx(math.exp(3 * math.log(4) / 5))
    assert told["bits_per_byte"] == pytest.approx(3 * 2 / 8)
    assert [(one["first"], one["tokens"], one["loss"]) for one in told["by_position"]] == [
        (1, 1, pytest.approx(math.log(4))),
        (2, 2, pytest.approx(math.log(4))),
        (3, 2, pytest.approx(0, abs=1e-6)),
    ]


def test_a_long_window_is_told_in_runs_of_places() -> None:
    seen = Predicted(1000, torch.ones(4), padding=0)
    seen.see(torch.zeros(1, 1000, 4), torch.ones(1, 1000, dtype=torch.int64))
    told = seen.section()["by_position"]
    assert len(told) == 64
    assert (told[0]["first"], told[-1]["last"]) == (1, 1000)
    assert sum(one["tokens"] for one in told) == 1000


def test_features_that_come_back_the_worst_are_told_first() -> None:
    x = torch.zeros(10, 3)
    made = x.clone()
    made[:, 1] = 2.0
    made[4, 0] = 3.0
    seen = Reconstructed()
    seen.see(made[:6], x[:6])
    seen.see(made[6:], x[6:])
    section, worst = seen.section(("a", "b", "c"))
    assert [one["name"] for one in section["features"]] == ["b", "a", "c"]
    assert section["features"][0]["rmse"] == pytest.approx(2.0)
    assert section["rmse"] == pytest.approx(float((made - x).square().mean().sqrt()))
    assert worst[0]["place"] == 4
