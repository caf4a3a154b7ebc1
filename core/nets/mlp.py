"""A multilayer perceptron over the flattened features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain, pairwise

from torch import Tensor, nn

from core.data import ModelShape

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Mlp(nn.Module):
    """Fully connected layers, each with its activation: (batch, *features) to (batch, outputs)."""

    def __init__(
        self, shape: ModelShape, *, hidden: tuple[int, ...], activation: str, dropout: float, batch_norm: bool
    ) -> None:
        super().__init__()
        widths = [math.prod(shape.features), *hidden]
        layers = (
            _layer(before, after, activation=activation, dropout=dropout, batch_norm=batch_norm)
            for before, after in pairwise(widths)
        )
        # flat: every Sequential within another would cost some 4% of a small step
        self.hidden = nn.Sequential(*chain.from_iterable(layers))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        prediction: Tensor = self.output(self.hidden(x.flatten(1)))
        return prediction


def _layer(before: int, after: int, *, activation: str, dropout: float, batch_norm: bool) -> Iterator[nn.Module]:
    yield nn.Linear(before, after)
    if batch_norm:
        yield nn.BatchNorm1d(after)
    yield ACTIVATIONS[activation]()
    if dropout:
        yield nn.Dropout(dropout)
