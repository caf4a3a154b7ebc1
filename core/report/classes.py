"""How well classes are told apart: figures of each, what is taken for what, and how far the shares can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from core.report import curves
from core.report.calibration import calibration
from core.report.plain import figures, highest, number, numbers

MOST_SHOWN = 50
"""Classes that a confusion matrix shows; of more it shows those with the most mistakes, and the others as one."""
MOST_CLASSES = 1000
"""Classes whose own figures are told: the first ones."""
MOST_PAIRS = 20
OTHERS = "(others)"


def of_classes(scores: Tensor, target: Tensor, names: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The section `classes` of a report, and the worst mistakes: `place` among the samples, and what was predicted.

    `scores` are logits `(samples, classes)`, or `(samples, 1)` of the second of two; `target` is int64 `(samples,)`.
    A class is predicted that has the highest share; figures of one that nobody has or predicts are 0, and macro means
    leave it out. They are counted here: torchmetrics takes samples times classes squared where torch is deterministic.
    """
    scores = scores.float()
    if scores.shape[1] == 1:
        scores = torch.cat([torch.zeros_like(scores), scores], 1)
    shares, losses = scores.softmax(1), torch.nn.functional.cross_entropy(scores, target, reduction="none")
    predicted = shares.argmax(1)
    two = len(names) == 2
    section = {
        **_figures(predicted, target, names),
        "confusion": confusion(predicted, target, names),
        "confused": _confused(predicted, target, names),
        "calibration": calibration(shares, target),
        "roc": curves.roc(shares[:, 1], target) if two else None,
        "precision_recall": curves.precision_recall(shares[:, 1], target) if two else None,
    }
    wrong = (predicted != target).nonzero().flatten()
    worst = wrong[highest(losses[wrong])]
    shown = zip(worst.tolist(), numbers(shares.amax(1)[worst]), numbers(losses[worst]), strict=True)
    return section, [
        {
            "place": place,
            "true": names[int(target[place])],
            "predicted": names[int(predicted[place])],
            "share": share,
            "loss": loss,
        }
        for place, share, loss in shown
    ]


def _figures(predicted: Tensor, target: Tensor, names: Sequence[str]) -> dict[str, Any]:
    many = len(names)
    hits, guesses, support = (
        torch.bincount(side, minlength=many).double() for side in (target[predicted == target], predicted, target)
    )
    each = {
        "precision": hits / guesses.clamp_min(1),
        "recall": hits / support.clamp_min(1),
        "f1": 2 * hits / (guesses + support).clamp_min(1),
    }
    there = guesses + support > 0
    columns = {**{name: values.tolist() for name, values in each.items()}, "support": support.long().tolist()}
    return {
        "accuracy": number((predicted == target).double().mean()),
        "macro": figures({name: values[there].mean() for name, values in each.items()}),
        "weighted": figures({name: (values * support).sum() / support.sum() for name, values in each.items()}),
        "each": [
            {"name": name, **{figure: values[place] for figure, values in columns.items()}}
            for place, name in enumerate(names[:MOST_CLASSES])
        ],
    }


def confusion(predicted: Tensor, target: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """How often each class (a row) was predicted as each (a column): all of them, or those with the most mistakes."""
    shown = list(range(len(names)))
    told = list(names)
    if len(names) > MOST_SHOWN:
        wrong = predicted != target
        mistakes = sum(torch.bincount(side[wrong], minlength=len(names)) for side in (predicted, target))
        shown = sorted(highest(torch.as_tensor(mistakes), MOST_SHOWN - 1))
        told = [*(names[place] for place in shown), OTHERS]
    place_of = torch.full((len(names),), len(told) - 1)
    place_of[torch.tensor(shown)] = torch.arange(len(shown))
    pairs = place_of[target] * len(told) + place_of[predicted]
    counts = torch.bincount(pairs, minlength=len(told) ** 2).view(len(told), -1)
    return {"names": told, "counts": counts.tolist()}


def _confused(predicted: Tensor, target: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    """Which class is taken for which the most often."""
    wrong = predicted != target
    pairs, counts = torch.unique(target[wrong] * len(names) + predicted[wrong], return_counts=True)
    return [
        {
            "true": names[int(pairs[place]) // len(names)],
            "predicted": names[int(pairs[place]) % len(names)],
            "count": int(counts[place]),
        }
        for place in highest(counts, MOST_PAIRS)
    ]
