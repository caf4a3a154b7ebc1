"""Scaling as in training, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def scale(x: Tensor, kept: Mapping[str, Any]) -> Tensor:
    """`(x - shift) * scale`, in float64, then float32."""
    if kept["kind"] == "none":
        return x.float()
    shift, factor = sides(kept)
    return ((x.flatten(factor.ndim) - shift) * factor).float().reshape(x.shape)


def unscale(scores: Tensor, kept: Mapping[str, Any]) -> Tensor:
    """Predicted numbers in their own unit; what was constant in training gets its constant back."""
    if kept["kind"] == "none":
        return scores
    shift, factor = sides(kept)
    width = torch.where(factor != 0, 1 / factor, 0.0)
    flat = scores.double().flatten(factor.ndim) if scores.ndim > 2 else scores.double()
    return (flat * width + shift).float().reshape(scores.shape)


def sides(kept: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Shift and scale: for each number of a sample, for all of them, or for each channel."""
    shift, factor = (torch.tensor(kept[side], dtype=torch.float64) for side in ("shift", "scale"))
    return (shift[:, None], factor[:, None]) if kept["kind"] == "per_channel" else (shift, factor)
