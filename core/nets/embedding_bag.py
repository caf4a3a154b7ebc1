"""The mean of a text's token embeddings, then fully connected layers."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from core.data import PADDING, ModelShape

_PRIME = 2_654_435_761
"""Knuth's multiplier (The Art of Computer Programming, 6.4): neighbouring runs of tokens land far apart."""


class EmbeddingBag(nn.Module):
    """Int64 tokens `(batch, length)`, padded, to `(batch, outputs)`; their order counts only within `ngrams`."""

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        embedding_dim: int,
        ngrams: int,
        buckets: int,
        hidden: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        self.ngrams, self.buckets = ngrams, buckets
        self.tokens = nn.Embedding(shape.vocabulary or 1, embedding_dim, padding_idx=PADDING)
        self.runs = nn.Embedding(buckets + 1, embedding_dim, padding_idx=PADDING) if ngrams > 1 else None
        self.dropout = nn.Dropout(dropout)
        widths = [embedding_dim, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each text; one without tokens is all zeros in the middle."""
        total, count = self.tokens(x).sum(1), (x != PADDING).sum(1, keepdim=True)
        if self.runs is not None:
            for runs in self._runs(x):
                total = total + self.runs(runs).sum(1)
                count = count + (runs != PADDING).sum(1, keepdim=True)
        mean = self.dropout(total / count.clamp(min=1))
        for layer in self.hidden:
            mean = self.dropout(layer(mean).relu())
        prediction: Tensor = self.output(mean)
        return prediction

    def _runs(self, x: Tensor) -> list[Tensor]:
        """Every run of 2 to `ngrams` tokens as a bucket from 1 on, 0 where it reaches into the padding."""
        found, run = [], x
        for length in range(2, self.ngrams + 1):
            last = x[:, length - 1 :]
            run = (run[:, : last.shape[1]] * _PRIME + last) % (2**31 - 1)
            found.append(torch.where(last != PADDING, run % self.buckets + 1, PADDING))
        return found
