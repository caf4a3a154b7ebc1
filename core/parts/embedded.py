"""Columns of words as vectors that are learned: what models embed, and what that costs."""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from core.data import ModelShape
from core.parts.limits import Width

_WIDEST = 600

Embeddings = Annotated[
    Width | Literal["auto"] | None,
    Field(
        description="Columns of words as vectors of so many numbers that are learned (auto: by the number of words), "
        "instead of a 1 in a place of their own."
    ),
]


class Joined(NamedTuple):
    """The numbers of a row beside the vectors of its words: how many, their weights, and what is kept of a sample."""

    width: int
    parameters: int
    activations: int


def widths(shape: ModelShape, embeddings: int | Literal["auto"] | None) -> tuple[int, ...]:
    """How many numbers stand for each column of words: of n codes 1.6 n^0.56 as in fastai, where nobody says."""
    if isinstance(embeddings, int):
        return (embeddings,) * len(shape.categories)
    return tuple(min(_WIDEST, round(1.6 * codes**0.56)) for codes in shape.categories)


def joined(shape: ModelShape, embeddings: int | Literal["auto"] | None) -> Joined:
    """What a model reads once the words of its rows are embedded, where they are."""
    if not shape.categories:
        return Joined(math.prod(shape.features), 0, 0)
    wide = widths(shape, embeddings)
    parameters = sum(codes * width for codes, width in zip(shape.categories, wide, strict=True))
    # the codes as integers, each vector, and all of it side by side
    together = shape.features[0] - len(wide) + sum(wide)
    return Joined(together, parameters, 2 * len(wide) + sum(wide) + together)
