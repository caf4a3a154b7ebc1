"""Models that read tokens; the fact `tokens` says so, and `tasks` what they predict where that is not everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.checks import Finding
from core.data import Cost, ModelShape
from core.parts.limits import Dropout, MaybeWidths
from core.registry import models

if TYPE_CHECKING:
    from torch import nn

EmbeddingWidth = Annotated[int, Field(ge=1, le=4_096)]
Buckets = Annotated[int, Field(ge=1, le=10_000_000)]


def _bag_cost(
    shape: ModelShape, *, embedding_dim: int, ngrams: int, buckets: int, hidden: tuple[int, ...], **_: Any
) -> Cost:
    rows = (shape.vocabulary or 1) + (buckets + 1) * (ngrams > 1)
    widths = [embedding_dim, *hidden, shape.outputs]
    dense = sum((before + 1) * after for before, after in pairwise(widths))
    read = shape.features[0] * ngrams * (embedding_dim + 1)
    return Cost(rows * embedding_dim + dense, read + 3 * sum(widths))


def _gpt_cost(shape: ModelShape, *, n_layer: int, n_head: int, n_embd: int, dropout: float) -> Cost:
    length = shape.features[0]
    # three projections and one behind them, up to four times the width and down again, and two norms
    layer = 12 * n_embd**2 + 2 * n_embd
    parameters = (shape.outputs + length + 1) * n_embd + n_layer * layer
    # of each layer: both norms, three projections, attention, what is added twice, and the wide part twice; with
    # dropout also its masks and all pairs of places, whose weights are kept only then
    kept = length * 15 * n_embd + (length * 3 * n_embd + 2 * n_head * length**2) * bool(dropout)
    return Cost(parameters, n_layer * kept + length * (3 * n_embd + 2 * shape.outputs))


def _heads_divide_the_width(*, n_head: int, n_embd: int, **_: Any) -> Iterator[Finding]:
    if n_embd % n_head:
        told = f"{n_embd} numbers cannot be shared by {n_head} heads evenly; make n_embd a multiple of n_head."
        yield Finding(("n_embd",), n_embd, told, {"multipleOf": n_head})


@models.register(cost=_bag_cost, tokens=True, tasks=("numbers", "binary", "classes", "labels"), patchable=("dropout",))
def embedding_bag(
    shape: ModelShape,
    *,
    embedding_dim: EmbeddingWidth = 64,
    ngrams: Annotated[int, Field(ge=1, le=8)] = 1,
    buckets: Buckets = 100_000,
    hidden: MaybeWidths = (),
    dropout: Dropout = 0.0,
) -> nn.Module:
    """The mean of a text's token embeddings, then fully connected layers.

    Joulin et al., 2016 (fastText). Runs of 2 to `ngrams` tokens are embedded too, by their hash in so many `buckets`.
    """
    from core.nets.embedding_bag import EmbeddingBag

    return EmbeddingBag(
        shape, embedding_dim=embedding_dim, ngrams=ngrams, buckets=buckets, hidden=hidden, dropout=dropout
    )


@models.register(
    cost=_gpt_cost, tokens=True, tasks=("tokens",), check=_heads_divide_the_width, patchable=("n_head", "dropout")
)
def gpt(
    shape: ModelShape,
    *,
    n_layer: Annotated[int, Field(ge=1, le=64)] = 4,
    n_head: Annotated[int, Field(ge=1, le=64)] = 4,
    n_embd: Annotated[int, Field(ge=1, le=4_096)] = 128,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """A small GPT: a decoder of causal self-attention that scores the next token at each place of a window.

    Radford et al., 2019, with norms before each layer, learned positions, no biases and tied embeddings; settings as
    nanoGPT spells them.
    """
    from core.nets.gpt import Gpt

    return Gpt(shape, n_layer=n_layer, n_head=n_head, n_embd=n_embd, dropout=dropout)
