"""A transformer over the columns of a table: each number is a token."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from core.data import ModelShape
from core.nets.attention import kernel
from core.nets.columns import Words


class FtTransformer(nn.Module):
    """Float features `(batch, features)` to `(batch, outputs)`, read from a token of their own in front of theirs."""

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        n_blocks: int,
        d_block: int,
        attention_n_heads: int,
        attention_dropout: float,
        ffn_d_hidden: int,
        ffn_dropout: float,
        residual_dropout: float,
    ) -> None:
        super().__init__()
        [features], bound = shape.features, 1 / math.sqrt(d_block)
        self.numbers = features - len(shape.categories)
        self.weight = nn.Parameter(torch.empty(self.numbers, d_block))
        self.bias = nn.Parameter(torch.empty(features, d_block))
        self.cls = nn.Parameter(torch.empty(d_block))
        for one in (self.weight, self.bias, self.cls):
            nn.init.uniform_(one, -bound, bound)
        self.words = Words(shape.categories, d_block, bound=bound) if shape.categories else None
        dropouts = (attention_dropout, ffn_dropout, residual_dropout)
        self.blocks = nn.ModuleList(
            _Block(d_block, attention_n_heads, ffn_d_hidden, dropouts, first=not place) for place in range(n_blocks)
        )
        self.norm = nn.LayerNorm(d_block)
        self.activation = nn.ReLU()
        self.output = nn.Linear(d_block, shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        # not len(x): torch.export takes that for a constant
        state = torch.cat([self.cls.expand(x.shape[0], 1, -1), *self._tokens(x)], 1)
        for block in self.blocks:
            state = block(state)
        prediction: Tensor = self.output(self.activation(self.norm(state[:, 0])))
        return prediction

    def _tokens(self, x: Tensor) -> list[Tensor]:
        """A token for each number, and one for each column of words: `(batch, columns, width)`."""
        if self.words is None:
            return [torch.addcmul(self.bias, x.unsqueeze(2), self.weight)]
        numbers, codes = x[:, : self.numbers], x[:, self.numbers :].long()
        read = torch.addcmul(self.bias[: self.numbers], numbers.unsqueeze(2), self.weight)
        return [read, self.bias[self.numbers :] + self.words(codes)]


class _Block(nn.Module):
    """Attention of every token to all, then a gated dense layer for each; each adds to what it was given."""

    def __init__(
        self, width: int, heads: int, hidden: int, dropouts: tuple[float, float, float], *, first: bool
    ) -> None:
        super().__init__()
        self.heads, self.chance = heads, dropouts[0]
        # as published: the first block reads the tokens as they are
        self.before = nn.Identity() if first else nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 2 * hidden)
        self.narrow = nn.Linear(hidden, width)
        self.dropout1 = nn.Dropout(dropouts[1])
        self.dropout2 = nn.Dropout(dropouts[2])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout2(self._attention(self.before(x)))
        opened, gate = self.wide(self.between(x)).chunk(2, -1)
        added: Tensor = x + self.dropout2(self.narrow(self.dropout1(opened * gate.relu())))
        return added

    def _attention(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        split = self.queries_keys_values(x).view(rows, length, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        chance = self.chance if self.training else 0.0
        with kernel(x.device):
            seen = scaled_dot_product_attention(queries, keys, values, dropout_p=chance)
        joined: Tensor = self.out(seen.transpose(1, 2).reshape(rows, length, width))
        return joined
