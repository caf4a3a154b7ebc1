"""The shapes of data and the arrays that datasets hand to the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Task = Literal["numbers", "binary", "classes"]
"""What is predicted: numbers (regression), two classes, or more than two."""


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a dataset will hold, known before it is loaded.

    `features` is one sample's shape: `(64,)` for a table, `(1, 8, 8)` (channels, height, width) for images.
    `classes` is None when the target is numbers; `outputs` is then the width of a target row.
    """

    samples: int
    features: tuple[int, ...]
    classes: int | None = None
    outputs: int = 1

    @property
    def task(self) -> Task:
        """The kind of target."""
        if self.classes is None:
            return "numbers"
        return "binary" if self.classes == 2 else "classes"


@dataclass(frozen=True, slots=True)
class Arrays:
    """A dataset in memory.

    x: float32, `(samples, *features)`. y: int64 `(samples,)` for classes, float32 `(samples, outputs)` for numbers.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64] | NDArray[np.float32]
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a model is sized from: one sample's shape and the width of its prediction."""

    features: tuple[int, ...]
    outputs: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model takes, by arithmetic: weights, and numbers kept per sample for the backward pass."""

    parameters: int
    activations: int
