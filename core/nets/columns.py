"""The columns of words in a row, each word a vector that is learned."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from core.data import ModelShape
from core.encoding import FIRST_WORD


class Columns(nn.Module):
    """Rows whose last numbers are codes, `(batch, features)`, with a vector for each code: `(batch, width)`.

    Guo & Berkhahn, 2016. A word that training did not have, and an empty cell, begin as zeros: the former stays so and
    says nothing.
    """

    def __init__(self, shape: ModelShape, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.numbers = shape.features[0] - len(widths)
        self.words = nn.ModuleList(
            nn.Embedding(codes, width) for codes, width in zip(shape.categories, widths, strict=True)
        )
        with torch.no_grad():
            for weight in self.words.parameters():
                weight[:FIRST_WORD] = 0

    def forward(self, x: Tensor) -> Tensor:
        """The numbers of each row, and behind them the vectors of its words."""
        codes = x[:, self.numbers :].long().unbind(1)
        vectors = (table(code) for table, code in zip(self.words, codes, strict=True))
        return torch.cat([x[:, : self.numbers], *vectors], 1)


class Words(nn.Module):
    """The codes of all columns, `(batch, columns)`, as vectors of one width: `(batch, columns, width)`."""

    starts: Tensor
    """Where the vectors of each column begin."""

    def __init__(self, categories: tuple[int, ...], width: int, *, bound: float) -> None:
        """First weights are drawn between `-bound` and `bound`; codes that stand for no word begin as zeros."""
        super().__init__()
        starts = [0, *itertools.accumulate(categories)][:-1]
        self.register_buffer("starts", torch.tensor(starts), persistent=False)
        self.table = nn.Embedding(sum(categories), width)
        nn.init.uniform_(self.table.weight, -bound, bound)
        with torch.no_grad():
            for start in starts:
                self.table.weight[start : start + FIRST_WORD] = 0

    def forward(self, codes: Tensor) -> Tensor:
        """A vector for each code."""
        vectors: Tensor = self.table(codes + self.starts)
        return vectors
