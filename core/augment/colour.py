"""Brightness, contrast and saturation of whole batches of pictures, as torchvision's ColorJitter has them."""

from __future__ import annotations

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue look: ITU-R BT.601."""


def brightened(x: Tensor, factors: Tensor) -> Tensor:
    """Each picture `(channels, height, width)`, black being 0, times its factor."""
    return x * factors.view(-1, 1, 1, 1)


def contrasted(x: Tensor, factors: Tensor) -> Tensor:
    """Each picture's distance from its own mean grey, times its factor."""
    mean = grey(x).mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, x, factors.view(-1, 1, 1, 1))


def saturated(x: Tensor, factors: Tensor) -> Tensor:
    """Each pixel's distance from its own grey, times the picture's factor."""
    return torch.lerp(grey(x), x, factors.view(-1, 1, 1, 1))


def grey(x: Tensor) -> Tensor:
    """The pictures in one channel: as bright as three channels of colours look, else the mean of the channels."""
    if x.shape[1] != len(_LUMA):
        return x.mean(dim=1, keepdim=True)
    red, green, blue = (share * channel for share, channel in zip(_LUMA, x.unbind(1), strict=True))
    return (red + green + blue).unsqueeze(1)
