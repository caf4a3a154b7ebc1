"""A multilayer perceptron over the flattened features."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise

from torch import Tensor, nn

from core.data import ModelShape
from core.nets.columns import Columns

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

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        hidden: tuple[int, ...],
        activation: str,
        dropout: float,
        batch_norm: bool,
        embeddings: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.words = Columns(shape, embeddings) if embeddings else None
        widths = [math.prod(shape.features) - len(embeddings) + sum(embeddings), *hidden]
        layers = (
            _layer(before, after, activation=activation, dropout=dropout, batch_norm=batch_norm)
            for before, after in pairwise(widths)
        )
        # flat: every Sequential within another would cost some 4% of a small step
        self.hidden = nn.Sequential(OrderedDict(_named(chain.from_iterable(layers))))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        seen = x.flatten(1) if self.words is None else self.words(x)
        prediction: Tensor = self.output(self.hidden(seen))
        return prediction


def _layer(before: int, after: int, *, activation: str, dropout: float, batch_norm: bool) -> Iterator[nn.Module]:
    yield nn.Linear(before, after)
    if batch_norm:
        yield nn.BatchNorm1d(after)
    yield ACTIVATIONS[activation]()
    if dropout:
        yield nn.Dropout(dropout)


def _named(modules: Iterable[nn.Module]) -> Iterator[tuple[str, nn.Module]]:
    """Numbered, all but dropout: a fork may add or leave it out, and every weight keeps its name."""
    place = 0
    for module in modules:
        if isinstance(module, nn.Dropout):
            yield f"dropout{place}", module
        else:
            yield str(place), module
            place += 1
