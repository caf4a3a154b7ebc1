"""Tensors as what JSON has: numbers of six digits, null for what is none, and only so many of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

DIGITS = 6
WORST = 50
"""How many samples are told by number, those with the highest loss first."""


def number(value: Tensor | float) -> float | None:
    """One figure, to the last bit; None where it is not finite."""
    found = float(value)
    return found if math.isfinite(found) else None


def numbers(values: Tensor | Iterable[float]) -> list[float | None]:
    """Many figures, each to six digits; None where one is not finite."""
    listed = values.tolist() if isinstance(values, Tensor) else values
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in listed]


def figures(named: Mapping[str, Tensor | float]) -> dict[str, float | None]:
    """Figures by their names."""
    return {name: number(value) for name, value in named.items()}


def spread(count: int, most: int) -> Tensor:
    """The places of at most `most` of `count` things, evenly spaced, the first and the last among them: int64."""
    if count <= most:
        return torch.arange(count)
    return torch.linspace(0, count - 1, most, dtype=torch.float64).round().long()


def highest(losses: Tensor, most: int = WORST) -> list[int]:
    """The places of the highest losses, the highest first and of equals the earlier; what is no number comes first."""
    losses = losses.double().nan_to_num(nan=math.inf)
    order: list[int] = losses.sort(descending=True, stable=True).indices[:most].tolist()
    return order


def quantiles(values: Tensor, at: Iterable[float]) -> dict[str, float | None]:
    """The quantiles of `values`, by their shares: {"0.5": the median}; empty where there is no value."""
    shares = list(at)
    finite = values[values.isfinite()].double().numpy()
    found = np.quantile(finite, shares).tolist() if len(finite) else []
    return {f"{share:g}": number(value) for share, value in zip(shares, found, strict=False)}


def histogram(values: Tensor, bins: int) -> dict[str, list[Any]]:
    """How many of `values` lie between each of the `edges` and the next, which are evenly spaced."""
    finite = values[values.isfinite()].double().numpy()
    counts, edges = np.histogram(finite, bins=bins)
    return {"edges": numbers(edges.tolist()), "counts": counts.tolist()}
