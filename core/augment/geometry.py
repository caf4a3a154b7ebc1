"""Pictures moved, cut, turned and covered, a whole batch at a time: `(batch, channels, height, width)` in and out.

What is done to each sample is a tensor `(batch,)` or a few of them. No gradient comes through here, so every kernel is
one that is the same in each run.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

Padding = Literal["constant", "edge", "reflect"]

_SAMPLED = {"constant": "zeros", "edge": "border", "reflect": "reflection"}


class Boxes(NamedTuple):
    """A rectangle in each picture, from its top left pixel to before its bottom right one: int64 `(batch,)` each."""

    top: Tensor
    left: Tensor
    bottom: Tensor
    right: Tensor


def flipped(x: Tensor, where: Tensor, *, dim: int) -> Tensor:
    """Those pictures mirrored along `dim` for which `where` (bool) says so."""
    return torch.where(where.view(-1, 1, 1, 1), x.flip(dim), x)


def moved(x: Tensor, down: Tensor, right: Tensor, *, padding: Padding) -> Tensor:
    """Each picture seen through a window of its own size that stands so many pixels (int64) further down and right."""
    batch, channels, height, width = x.shape
    rows, row_is_real = _places(down, height, padding)
    columns, column_is_real = _places(right, width, padding)
    seen = x.gather(2, rows.view(batch, 1, height, 1).expand(-1, channels, -1, width))
    seen = seen.gather(3, columns.view(batch, 1, 1, width).expand(-1, channels, height, -1))
    if padding != "constant":
        return seen
    return seen * (row_is_real.view(batch, 1, height, 1) & column_is_real.view(batch, 1, 1, width))


def zoomed(x: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """A window of each picture, in pixels and fractions of them, enlarged to the picture's size, bilinearly."""
    tall, wide = x.shape[2:]
    across = (left + width / 2).mul(2 / wide).sub(1), width / wide
    down = (top + height / 2).mul(2 / tall).sub(1), height / tall
    v, u = _centres(x)
    batch = (-1, 1, 1)
    columns = (across[0].view(batch) + across[1].view(batch) * u).expand(-1, tall, -1)
    rows = (down[0].view(batch) + down[1].view(batch) * v).expand(-1, -1, wide)
    return _sampled(x, columns, rows, padding="edge")


def turned(x: Tensor, angle: Tensor, zoom: Tensor, shift: tuple[Tensor, Tensor], *, padding: Padding) -> Tensor:
    """Each picture turned about its middle (radians, counterclockwise), enlarged, then moved.

    The `shift` is down and to the right, in shares of the sides.
    """
    tall, wide = x.shape[2:]
    batch = (-1, 1, 1)
    # where each pixel comes from: the movement backwards, in half sides from the middle
    v, u = (centre - 2 * by.view(batch) for centre, by in zip(_centres(x), shift, strict=True))
    cos, sin = (angle.cos() / zoom).view(batch), (angle.sin() / zoom).view(batch)
    return _sampled(x, cos * u - sin * v * (tall / wide), sin * u * (wide / tall) + cos * v, padding=padding)


def covered(x: Tensor, boxes: Boxes, *, by: float = 0.0) -> Tensor:
    """The pictures with one value in their boxes."""
    rows, columns = (torch.arange(side, device=x.device) for side in x.shape[2:])
    inside_rows = (rows >= boxes.top[:, None]) & (rows < boxes.bottom[:, None])
    inside_columns = (columns >= boxes.left[:, None]) & (columns < boxes.right[:, None])
    return x.masked_fill((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], by)


def _places(shift: Tensor, side: int, padding: Padding) -> tuple[Tensor, Tensor]:
    """Which pixel of a side each one of the window shows, and whether there is one."""
    wanted = shift[:, None] + torch.arange(side, device=shift.device)
    last = side - 1
    within = wanted.clamp(0, last)
    mirrored = last - (last - wanted.abs()).abs()
    return (mirrored if padding == "reflect" else within), within == wanted


def _centres(x: Tensor) -> tuple[Tensor, Tensor]:
    """Where the middles of pixels lie, down `(height, 1)` and across `(width,)`: from -1 to 1 between the edges."""
    down, across = (
        (torch.arange(side, device=x.device, dtype=torch.float32) * 2 + 1) / side - 1 for side in x.shape[2:]
    )
    return down[:, None], across


def _sampled(x: Tensor, columns: Tensor, rows: Tensor, *, padding: Padding) -> Tensor:
    grid = torch.stack([columns, rows], dim=3)
    return grid_sample(x, grid, mode="bilinear", padding_mode=_SAMPLED[padding], align_corners=False)
