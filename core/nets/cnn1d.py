"""A small convolutional network along one axis: a window of a series, or a row of numbers in their order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from torch import Tensor, nn

from core.data import ModelShape


class Cnn1d(nn.Module):
    """Convolutions with a stride, then dense layers, to (batch, outputs).

    From (batch, channels, length), or from (batch, features) as one channel.
    """

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        channels: tuple[int, ...],
        kernel_size: int,
        stride: int,
        hidden: tuple[int, ...],
        dropout: float,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        deep, length = (1, *shape.features)[-2:]
        stages = (
            _stage(before, after, kernel_size, stride=stride, batch_norm=batch_norm)
            for before, after in pairwise([deep, *channels])
        )
        self.stages = nn.Sequential(*chain.from_iterable(stages))
        for _ in channels:
            length = -(-length // stride)
        widths = [channels[-1] * length, *hidden]
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.ReLU()
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        series = x.unsqueeze(1) if x.ndim == 2 else x
        seen = self.dropout(self.stages(series).flatten(1))
        for layer in self.hidden:
            seen = self.dropout(self.activation(layer(seen)))
        prediction: Tensor = self.output(seen)
        return prediction


def _stage(before: int, after: int, kernel_size: int, *, stride: int, batch_norm: bool) -> Iterator[nn.Module]:
    yield nn.Conv1d(before, after, kernel_size, stride=stride, padding=kernel_size // 2)
    if batch_norm:
        yield nn.BatchNorm1d(after)
    yield nn.ReLU()
