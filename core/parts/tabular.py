"""Models of the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import Cost, ModelShape
from core.parts.limits import Dropout, Width
from core.registry import models

if TYPE_CHECKING:
    from torch import nn


def _ft_cost(
    shape: ModelShape,
    *,
    n_blocks: int,
    d_block: int,
    attention_n_heads: int,
    ffn_d_hidden: int,
    attention_dropout: float,
    **_: Any,
) -> Cost:
    [features] = shape.features
    tokens, words = features + 1, len(shape.categories)
    # three projections and one behind them, the gated layer there and back, and two norms: the first block has one,
    # and the other one stands behind the last
    block = 4 * (d_block + 1) * d_block + 2 * (d_block + 1) * ffn_d_hidden + (ffn_d_hidden + 1) * d_block + 4 * d_block
    # a vector and a bias for each number, a vector for each word and a bias for its column
    parameters = (2 * features - words + sum(shape.categories) + 1) * d_block
    parameters += n_blocks * block + (d_block + 1) * shape.outputs
    # with dropout also all pairs of tokens, whose weights and masks are kept only then
    kept = tokens * (12 * d_block + 5 * ffn_d_hidden)
    kept += (2 * attention_n_heads * tokens**2) * bool(attention_dropout)
    kept = n_blocks * kept + 3 * tokens * d_block + words * (d_block + 2)
    return Cost(parameters, kept + 2 * d_block + shape.outputs)


def _heads_divide_the_width(*, attention_n_heads: int, d_block: int, **_: Any) -> Iterator[Finding]:
    if d_block % attention_n_heads:
        told = (
            f"{d_block} numbers cannot be shared by {attention_n_heads} heads evenly; "
            "make d_block a multiple of attention_n_heads."
        )
        yield Finding(("d_block",), d_block, told, {"multipleOf": attention_n_heads})


@models.register(
    cost=_ft_cost,
    dims=(1,),
    check=_heads_divide_the_width,
    embeds=True,
    patchable=("attention_n_heads", "attention_dropout", "ffn_dropout", "residual_dropout"),
)
def ft_transformer(
    shape: ModelShape,
    *,
    n_blocks: Annotated[int, Field(ge=1, le=64)] = 2,
    d_block: Annotated[int, Field(ge=1, le=4_096)] = 64,
    attention_n_heads: Annotated[int, Field(ge=1, le=64)] = 8,
    attention_dropout: Dropout = 0.1,
    ffn_d_hidden: Width = 128,
    ffn_dropout: Dropout = 0.1,
    residual_dropout: Dropout = 0.0,
    embeddings: Annotated[
        Literal["auto"] | None,
        Field(description="auto: one token for each column of words, instead of one for every word."),
    ] = None,
) -> nn.Module:
    """A transformer for tables: every encoded number is a token, and one token more gathers what is predicted.

    The FT-Transformer of Gorishniy et al., 2021; settings as their package rtdl spells them. As published, a column of
    words is one token with `embeddings`.
    """
    from core.nets.ft_transformer import FtTransformer

    return FtTransformer(
        shape,
        n_blocks=n_blocks,
        d_block=d_block,
        attention_n_heads=attention_n_heads,
        attention_dropout=attention_dropout,
        ffn_d_hidden=ffn_d_hidden,
        ffn_dropout=ffn_dropout,
        residual_dropout=residual_dropout,
    )
