"""How two classes, or one label, are told apart at every threshold: curves of torchmetrics, thinned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional import classification as of

from core.report.plain import number, numbers, spread

MOST_POINTS = 200


def is_defined(target: Tensor) -> bool:
    """Whether both kinds are there: without one of them there is no curve (Fawcett, 2006)."""
    return bool((target == 1).any() and (target == 0).any())


def roc(share: Tensor, target: Tensor) -> dict[str, Any] | None:
    """The true positive rate against the false positive rate, and the `area` below; None without both kinds."""
    if not is_defined(target):
        return None
    false, true, thresholds = of.binary_roc(share, target, validate_args=False)
    kept = spread(len(false), MOST_POINTS)
    return {
        "area": number(of.binary_auroc(share, target, validate_args=False)),
        "false_positive_rate": numbers(false[kept]),
        "true_positive_rate": numbers(true[kept]),
        "thresholds": numbers(thresholds[kept]),
    }


def precision_recall(share: Tensor, target: Tensor) -> dict[str, Any] | None:
    """Precision against recall, and their `area` (average precision); None without both kinds.

    `best` is the threshold whose f1 is the highest, found on these very samples: elsewhere it does a little worse.
    """
    if not is_defined(target):
        return None
    precision, recall, thresholds = of.binary_precision_recall_curve(share, target, validate_args=False)
    kept = spread(len(thresholds), MOST_POINTS)
    return {
        "area": number(of.binary_average_precision(share, target, validate_args=False)),
        "precision": [*numbers(precision[:-1][kept]), 1.0],
        "recall": [*numbers(recall[:-1][kept]), 0.0],
        "thresholds": numbers(thresholds[kept]),
        "best": best_threshold(precision, recall, thresholds),
    }


def best_threshold(precision: Tensor, recall: Tensor, thresholds: Tensor) -> dict[str, float | None]:
    """The threshold with the highest f1 on a curve, and that f1."""
    f1 = (2 * precision * recall / (precision + recall)).nan_to_num(nan=0.0)[:-1]
    place = int(torch.argmax(f1))
    return {"threshold": number(thresholds[place]), "f1": number(f1[place])}
