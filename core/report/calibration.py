"""How far the share that a model gives its prediction is the share of those that are right."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional import classification as of

from core.report.plain import number, numbers

BINS = 15


def calibration(shares: Tensor, target: Tensor) -> dict[str, Any]:
    """Bins of equal width over the share of the predicted class, with the mean share and the accuracy of each.

    `expected_error` is the mean gap of the two, weighted by samples (Guo et al., 2017, "On Calibration of Modern Neural
    Networks"); `brier` is the mean squared error of all shares (Brier, 1950), halved for two classes as is usual.
    `shares` are `(samples, classes)`, `target` int64 `(samples,)`.
    """
    classes = shares.shape[1]
    expected = of.multiclass_calibration_error(shares, target, classes, n_bins=BINS, validate_args=False)
    squares = shares.double().square().sum(1) - 2 * shares.double().gather(1, target[:, None]).flatten() + 1
    return {
        "bins": _bins(shares, target),
        "expected_error": number(expected),
        "brier": number(squares.mean() / (2 if classes == 2 else 1)),
    }


def _bins(shares: Tensor, target: Tensor) -> list[dict[str, Any]]:
    confidence, predicted = shares.double().max(1)
    places = (confidence * BINS).ceil().long().sub(1).clamp(0, BINS - 1)
    counts, sure, right = (
        torch.bincount(places, weights, minlength=BINS)
        for weights in (None, confidence, (predicted == target).double())
    )
    return [
        {"count": count, "share": share, "accuracy": accuracy}
        for count, share, accuracy in zip(counts.tolist(), numbers(sure / counts), numbers(right / counts), strict=True)
    ]
