"""How far predicted numbers are from the true ones, each target in its own unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score

from core.report.plain import DIGITS, highest, histogram, number, numbers, quantiles, spread

BINS = 30
SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
MOST_TARGETS = 100
"""Targets that are told of, evenly spaced where there are more: the steps of a long forecast."""
MOST_POINTS = 2000
"""Points of predicted against true, of all targets together; 50 of each at least."""


def of_numbers(predicted: Tensor, target: Tensor, names: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The section `numbers` of a report, and the samples that are furthest off: `place`, true and predicted.

    Both are `(samples, targets)` in the targets' own units. Of several targets a sample's `error` is the root of the
    mean square of its residuals, each in standard deviations of its target; of one it is its absolute residual.
    """
    residuals = predicted.double() - target.double()
    errors = _errors(residuals, target.double())
    target = _as_given(target)
    told = spread(len(names), MOST_TARGETS).tolist()
    points = max(50, MOST_POINTS // len(told))
    section = {
        "each": [
            {"name": names[place], **_one(predicted[:, place], target[:, place], residuals[:, place], points=points)}
            for place in told
        ]
    }
    worst = [
        {
            "place": place,
            "true": numbers(target[place, told]),
            "predicted": numbers(predicted[place, told]),
            "error": number(errors[place]),
        }
        for place in highest(errors)
    ]
    return section, worst


def _as_given(target: Tensor) -> Tensor:
    """The numbers without what scaling and back in float32 has left at their end: a 0 is 0 again."""
    largest = target.abs().amax(0).clamp_min(1e-30)
    quantum = 10.0 ** (largest.double().log10().ceil() - DIGITS)
    return ((target.double() / quantum).round() * quantum).to(target)


def _errors(residuals: Tensor, target: Tensor) -> Tensor:
    if residuals.shape[1] == 1:
        return residuals.abs().flatten()
    width = target.std(0, correction=0)
    return (residuals / torch.where(width > 0, width, 1.0)).square().mean(1).sqrt()


def _one(predicted: Tensor, target: Tensor, residuals: Tensor, *, points: int) -> dict[str, Any]:
    kept = spread(len(target), points)
    return {
        "r2": number(r2_score(predicted, target)) if len(target) > 1 else None,
        "mae": number(mean_absolute_error(predicted, target)),
        "rmse": number(mean_squared_error(predicted, target, squared=False)),
        "mean_residual": number(residuals.mean()),
        "std_residual": number(residuals.std(correction=0)),
        "quantiles": quantiles(residuals, SHARES),
        "histogram": histogram(residuals, BINS),
        "scatter": {"true": numbers(target[kept]), "predicted": numbers(predicted[kept])},
    }
