"""How well labels are told, of which a sample may have any number: each by itself, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics.functional import classification as of

from core.report import curves
from core.report.plain import figures, highest, number

MOST_LABELS = 500
MOST_NAMED = 20
"""Labels of one sample."""
THRESHOLD = 0.5


def of_labels(scores: Tensor, target: Tensor, names: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The section `labels` of a report, and the samples with the highest loss: `place`, and what was predicted.

    `scores` are logits `(samples, labels)`; `target` says by 1 or 0 which labels a sample has. A label is predicted
    whose share is above 0.5.
    """
    shares, truth = scores.float().sigmoid(), target.long()
    losses = binary_cross_entropy_with_logits(scores.double(), target.double(), reduction="none").mean(1)
    predicted = shares > THRESHOLD
    section = {
        "threshold": THRESHOLD,
        "exact_match": number((predicted == (truth == 1)).all(1).double().mean()),
        "macro": figures(_averaged(shares, truth, "macro")),
        "micro": figures(_averaged(shares, truth, "micro")),
        "each": _each(shares, truth, names),
    }
    return section, [
        {
            "place": place,
            "true": _named(truth[place] == 1, names),
            "predicted": _named(predicted[place], names),
            "loss": number(losses[place]),
        }
        for place in highest(losses)
    ]


def _averaged(shares: Tensor, truth: Tensor, average: Any) -> dict[str, Tensor]:
    asked = {"num_labels": shares.shape[1], "average": average, "validate_args": False}
    return {
        "precision": of.multilabel_precision(shares, truth, **asked),
        "recall": of.multilabel_recall(shares, truth, **asked),
        "f1": of.multilabel_f1_score(shares, truth, **asked),
    }


def _each(shares: Tensor, truth: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    columns = {name: values.tolist() for name, values in _averaged(shares, truth, "none").items()}
    support = truth.sum(0).tolist()
    return [
        {
            "name": name,
            **{figure: values[place] for figure, values in columns.items()},
            "support": support[place],
            **_curve(shares[:, place], truth[:, place]),
        }
        for place, name in enumerate(names[:MOST_LABELS])
    ]


def _curve(share: Tensor, truth: Tensor) -> dict[str, Any]:
    """The area under a label's ROC curve, and the threshold with the highest f1."""
    if not curves.is_defined(truth):
        return {"area": None, "best": None}
    found = of.binary_precision_recall_curve(share, truth, validate_args=False)
    area = number(of.binary_auroc(share, truth, validate_args=False))
    return {"area": area, "best": curves.best_threshold(*found)}


def _named(which: Tensor, names: Sequence[str]) -> list[str]:
    return [names[place] for place in which.nonzero().flatten().tolist()[:MOST_NAMED]]
