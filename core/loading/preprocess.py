"""Scaling of features and targets: fitted on the training part, stored with the weights, applied the same way later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Kind = Literal["standard", "per_channel", "minmax", "none"]

_BLOCK = 65_536
"""Rows scaled at a time: the float64 in between stays small."""


@dataclass(frozen=True)
class Scaling:
    """`(x - shift) * scale`, per column, per channel or one pair for all; what was constant in training becomes 0."""

    kind: Kind
    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    def __call__(self, rows: NDArray[Any]) -> Tensor:
        """Scale `(rows, *features)`, computed in float64: a float32 tensor of the same shape.

        Its memory is torch's own, aligned to 64 bytes; with numpy's, which may not be, the last bits of products vary.
        """
        scaled = torch.empty(rows.shape, dtype=torch.float32)
        out = scaled.numpy()
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite: the cost, or the answer, tells it
            for start in range(0, len(rows), _BLOCK):
                block = rows[start : start + _BLOCK]
                out[start : start + _BLOCK] = self._scaled(block.reshape(len(block), -1)).reshape(block.shape)
        return scaled

    def undo(self, scaled: Tensor) -> Tensor:
        """Back to the data's own unit; a constant column gets its constant back."""
        if self.kind == "none":
            return scaled
        shift, scale = self._sides()
        width = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)
        flat = scaled.double().flatten(scale.ndim) if scaled.ndim > 2 else scaled.double()
        return (flat * torch.from_numpy(width) + torch.from_numpy(shift)).float().reshape(scaled.shape)

    def statistics(self) -> dict[str, Any]:
        """What `model.json` keeps; `restore` is the inverse."""
        return {"kind": self.kind, "shift": self.shift.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def restore(cls, statistics: Mapping[str, Any]) -> Scaling:
        """The scaling with these statistics."""
        shift, scale = (np.asarray(statistics[key], np.float64) for key in ("shift", "scale"))
        return cls(statistics["kind"], shift, scale)

    def _scaled(self, table: NDArray[Any]) -> NDArray[Any]:
        if self.kind == "none":
            return table
        shift, scale = self._sides()
        flat = table.reshape(len(table), len(scale), -1) if scale.ndim > 1 else table
        return (flat - shift) * scale

    def _sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shift and scale, those of channels against `(samples, channels, numbers)`."""
        if self.kind == "per_channel":
            return self.shift[:, None], self.scale[:, None]
        return self.shift, self.scale


def fit(
    kind: Kind, rows: NDArray[Any], *, whole: bool = False, only: NDArray[np.bool_] | None = None, coded: int = 0
) -> Scaling:
    """The scaling of `rows` `(samples, *features)`: `standard` (population deviation, ddof 0) or `minmax` to [0, 1].

    It is per column, or one for all numbers with `whole`, as images want it: a pixel that is always black in training
    would else be lost, and neighbouring pixels would no longer compare. `per_channel` is `standard` for each channel
    of images (channels, height, width). With `only` the other columns keep their numbers, which have no unit, unless
    they are constant; the last `coded` ones are codes and stay even then.
    """
    if kind == "none":
        return unscaled()
    if kind == "per_channel":
        return _of_channels(rows)
    columns = rows.reshape(-1, 1) if whole else rows.reshape(len(rows), -1)
    low, high = columns.min(axis=0).astype(np.float64), columns.max(axis=0).astype(np.float64)
    shift, width = (low, high - low) if kind == "minmax" else _moments(columns)
    return scaling(kind, shift, width, moves=(high > low) & (width > 0), only=only, coded=coded)


def unscaled() -> Scaling:
    """The scaling that leaves every number as it is."""
    return Scaling("none", np.zeros(1), np.ones(1))


def scaling(  # noqa: PLR0913  (what moves, and what may not be moved)
    kind: Kind,
    shift: NDArray[np.float64],
    width: NDArray[np.float64],
    *,
    moves: NDArray[np.bool_],
    only: NDArray[np.bool_] | None = None,
    coded: int = 0,
) -> Scaling:
    """What takes `shift` to 0 and `width` more to 1; 0 for all of a column that does not move, but for codes."""
    if only is not None:
        shift, width = np.where(only, shift, 0.0), np.where(only, width, 1.0)
    if coded:
        moves = np.concatenate([moves[:-coded], np.ones(coded, bool)])
    return Scaling(kind, shift, np.divide(1.0, width, out=np.zeros_like(width), where=moves))


def _of_channels(rows: NDArray[Any]) -> Scaling:
    channels = [fit("standard", rows[:, channel], whole=True) for channel in range(rows.shape[1])]
    shift, scale = (np.concatenate([getattr(one, side) for one in channels]) for side in ("shift", "scale"))
    return Scaling("per_channel", shift, scale)


def _moments(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = columns.mean(axis=0, dtype=np.float64)
    return mean, columns.std(axis=0, dtype=np.float64)
