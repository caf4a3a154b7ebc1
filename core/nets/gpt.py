"""A small decoder-only transformer: from tokens to the scores of the token that follows each of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from core.data import PADDING, ModelShape
from core.nets.attention import kernel

_SPREAD = 0.02
"""The deviation of fresh weights, as GPT-2 draws them."""


class Gpt(nn.Module):
    """Int64 tokens `(batch, length)` to `(batch, length, vocabulary)`; what comes later in a row changes no score."""

    def __init__(self, shape: ModelShape, *, n_layer: int, n_head: int, n_embd: int, dropout: float) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.outputs, n_embd, padding_idx=PADDING)
        self.places = nn.Embedding(shape.features[0], n_embd)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(_Block(n_embd, n_head, dropout=dropout) for _ in range(n_layer))
        self.norm = nn.LayerNorm(n_embd, bias=False)
        self._draw(n_layer)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of each next token; rows may be shorter than those trained on."""
        places = torch.arange(x.shape[1], device=x.device)
        state = self.dropout(self.tokens(x) + self.places(places))
        for block in self.blocks:
            state = block(state)
        scores: Tensor = nn.functional.linear(self.norm(state), self.tokens.weight)
        return scores

    @torch.no_grad()
    def _draw(self, n_layer: int) -> None:
        """Every layer adds to the same stream, so what it adds is drawn smaller the more layers there are."""
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                spread = _SPREAD / math.sqrt(2 * n_layer) if name.endswith("out.weight") else _SPREAD
                weight.normal_(0, spread)
        self.tokens.weight[PADDING] = 0


class _Block(nn.Module):
    """Attention over what came before, then a dense layer for each place; each adds to what it was given."""

    def __init__(self, width: int, heads: int, *, dropout: float) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width, bias=False)
        self.attention = _Attention(width, heads, dropout=dropout)
        self.between = nn.LayerNorm(width, bias=False)
        self.wide = nn.Linear(width, 4 * width, bias=False)
        self.out = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.before(x)))
        wide = nn.functional.gelu(self.wide(self.between(x)))
        added: Tensor = x + self.dropout(self.out(wide))
        return added


class _Attention(nn.Module):
    """Causal self-attention with several heads."""

    def __init__(self, width: int, heads: int, *, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.chance = dropout
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        split = self.queries_keys_values(x).view(rows, length, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        with kernel(x.device):
            seen = scaled_dot_product_attention(
                queries, keys, values, dropout_p=self.chance if self.training else 0.0, is_causal=True
            )
        joined: Tensor = self.out(seen.transpose(1, 2).reshape(rows, length, width))
        return joined
