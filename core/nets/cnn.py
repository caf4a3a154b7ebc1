"""A small convolutional network for images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from torch import Tensor, nn

from core.data import ModelShape


class Cnn(nn.Module):
    """Convolutions, each pooled, then dense layers: (batch, channels, height, width) to (batch, outputs)."""

    def __init__(
        self, shape: ModelShape, *, channels: tuple[int, ...], kernel_size: int, pool: int, hidden: tuple[int, ...]
    ) -> None:
        super().__init__()
        deep, height, width = shape.features
        stages = (_stage(before, after, kernel_size, pool=pool) for before, after in pairwise([deep, *channels]))
        self.stages = nn.Sequential(*chain.from_iterable(stages))
        shrunk = pool ** len(channels)
        widths = [channels[-1] * _pooled(height, shrunk) * _pooled(width, shrunk), *hidden]
        dense = ((nn.Linear(before, after), nn.ReLU()) for before, after in pairwise(widths))
        self.hidden = nn.Sequential(*chain.from_iterable(dense))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each image of `x`."""
        prediction: Tensor = self.output(self.hidden(self.stages(x).flatten(1)))
        return prediction


def _stage(before: int, after: int, kernel_size: int, *, pool: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2)
    yield nn.ReLU()
    if pool > 1:
        yield nn.MaxPool2d(pool)


def _pooled(side: int, shrunk: int) -> int:
    # Flooring at every stage and once at the end come to the same for integers.
    return side // shrunk
