"""A multilayer perceptron of residual blocks over the flattened features."""

from __future__ import annotations

import math

from torch import Tensor, nn

from core.data import ModelShape
from core.nets.columns import Columns


class ResMlp(nn.Module):
    """A linear layer, residual blocks, and a linear layer: (batch, *features) to (batch, outputs)."""

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        n_blocks: int,
        d_block: int,
        d_hidden: int,
        dropout1: float,
        dropout2: float,
        batch_norm: bool,
        embeddings: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.words = Columns(shape, embeddings) if embeddings else None
        self.input = nn.Linear(math.prod(shape.features) - len(embeddings) + sum(embeddings), d_block)
        dropouts = (dropout1, dropout2)
        blocks = (_Block(d_block, d_hidden, dropouts, batch_norm=batch_norm) for _ in range(n_blocks))
        self.blocks = nn.Sequential(*blocks)
        self.norm = _norm(d_block, batch_norm=batch_norm)
        self.activation = nn.ReLU()
        self.output = nn.Linear(d_block, shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        row = x.flatten(1) if self.words is None else self.words(x)
        seen = self.blocks(self.input(row))
        prediction: Tensor = self.output(self.activation(self.norm(seen)))
        return prediction


class _Block(nn.Module):
    """Norm, linear, ReLU, dropout, linear, dropout; added to what came in."""

    def __init__(self, width: int, hidden: int, dropouts: tuple[float, float], *, batch_norm: bool) -> None:
        super().__init__()
        self.norm = _norm(width, batch_norm=batch_norm)
        self.first = nn.Linear(width, hidden)
        self.activation = nn.ReLU()
        self.dropout1 = nn.Dropout(dropouts[0])
        self.second = nn.Linear(hidden, width)
        self.dropout2 = nn.Dropout(dropouts[1])

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout1(self.activation(self.first(self.norm(x))))
        added: Tensor = x + self.dropout2(self.second(hidden))
        return added


def _norm(width: int, *, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm1d(width) if batch_norm else nn.Identity()
