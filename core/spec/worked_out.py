"""What follows from a spec's fields by arithmetic, as the spec itself tells it."""

from __future__ import annotations

import math

from pydantic import BaseModel

from core.data import Cost, DataShape, ModelShape
from core.spec.outline import Outline
from core.split import Sizes

_ACTIVATIONS = 1 << 24
"""Numbers that a forward pass without gradients may hold (64 MiB)."""
_FEATURES = 1 << 22
"""Numbers that go into it (16 MiB): the next ones may be read from a file meanwhile."""
_ROWS = 8_192


class WorkedOut(BaseModel):
    """A spec without its fields: the shapes, sizes and costs that they come to."""

    @property
    def data_shape(self) -> DataShape:
        """What the dataset will hold."""
        return self._outline.data_shape

    @property
    def model_shape(self) -> ModelShape:
        """What the model is sized from."""
        return self._outline.model_shape

    @property
    def split_sizes(self) -> Sizes:
        """How many samples train, validate and test; in the first fold, where all folds train."""
        return self._outline.split_sizes

    @property
    def drawn_sizes(self) -> Sizes:
        """How many samples of the file that trains go into each part: all but those in files of their own."""
        return self._outline.drawn_sizes

    @property
    def train_samples(self) -> int:
        """How many samples train."""
        return self._outline.split_sizes.train

    @property
    def val_samples(self) -> int:
        """How many samples validate."""
        return self._outline.split_sizes.validation

    @property
    def test_samples(self) -> int:
        """How many samples test the trained model."""
        return self._outline.split_sizes.test

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch."""
        return self._outline.steps_per_epoch

    @property
    def rows_at_once(self) -> int:
        """How many samples are predicted at a time: by the spec alone, so that it never changes a figure."""
        cost = self.cost
        most = self._outline["batch_size"] if cost is None else _ACTIVATIONS // max(1, cost.activations)
        return max(1, min(_ROWS, most, _FEATURES // math.prod(self.data_shape.features)))

    @property
    def scales_pictures(self) -> bool:
        """Whether a sample is scaled as one picture, not number by number."""
        return self._outline.scales_pictures

    @property
    def cost(self) -> Cost | None:
        """The model's weights and activations; None for one of another package, which must be built to be weighed."""
        return None if self._outline.model.facts["cost"] is None else self._outline.cost

    @property
    def optimizer_state(self) -> int:
        """How many numbers the optimizer keeps for each weight."""
        return self._outline.optimizer_state

    @property
    def _outline(self) -> Outline:
        return Outline(self.__dict__)
