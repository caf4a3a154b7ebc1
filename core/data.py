"""The shapes of data and the arrays that datasets hand to the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Task = Literal["numbers", "binary", "classes", "labels", "tokens"]
"""What is predicted: numbers (regression), two classes, more than two, any number of labels (multi-label), or of a text
the token that follows each token."""

PADDING = 0
"""The id behind a text that is shorter than its row, and of a target that does not count."""


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a dataset will hold, known before it is loaded.

    `features` is one sample's shape: `(64,)` for a table, `(1, 8, 8)` (channels, height, width) for images.
    `classes` is None when the target is numbers; `outputs` is then the width of a target row. With `multilabel` that
    row says of each label, by 1 or 0, whether the sample has it.
    """

    samples: int
    features: tuple[int, ...]
    classes: int | None = None
    outputs: int = 1
    multilabel: bool = False
    vocabulary: int | None = None
    """How many ids a sample's tokens may have, padding among them; None where samples are numbers."""
    next_token: bool = False
    """Whether the target is the sample itself, one token further on: `(features[0],)` ids."""
    categories: tuple[int, ...] = ()
    """How many codes the last features have each, where a model embeds words; the features before are numbers."""
    reconstructs: bool = False
    """Whether the target is the sample itself; `outputs` are then all of its numbers."""

    @property
    def task(self) -> Task:
        """The kind of target."""
        if self.next_token:
            return "tokens"
        if self.multilabel:
            return "labels"
        if self.classes is None:
            return "numbers"
        return "binary" if self.classes == 2 else "classes"


@dataclass(frozen=True, slots=True)
class Arrays:
    """A dataset in memory.

    x: float32, `(samples, *features)`. y: int64 `(samples,)` for classes, float32 `(samples, outputs)` for numbers
    and for labels, whose names are then the `class_names`.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64] | NDArray[np.float32]
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the targets of the training part are: how many samples, and how many `each` class or label has of them."""

    samples: int
    each: tuple[int, ...]


Count = Callable[[], Counts]
"""Counts the training part's targets when it is asked to: most losses never ask."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a model is sized from: one sample's shape and the width of its prediction."""

    features: tuple[int, ...]
    outputs: int
    vocabulary: int | None = None
    """How many ids there are, where a sample is tokens."""
    categories: tuple[int, ...] = ()
    """How many codes the last features have each, where these are codes of words."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model takes, by arithmetic: weights, and numbers kept per sample for the backward pass."""

    parameters: int
    activations: int
