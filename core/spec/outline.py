"""What a spec amounts to, by arithmetic alone: shapes, sizes, steps, cost, and the defaults that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.data import Cost, DataShape, ModelShape, Task
from core.dataset import Facts
from core.registry import Part, PartSettings, datasets, losses, models, optimizers
from core.split import Sizes, sizes


class Unsound(Exception):
    """What was asked for rests on a part of the spec that is broken itself."""


class Outline:
    """A view of a spec's validated fields; what needs a field that is not there raises Unsound."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, field: str) -> Any:
        if field not in self._fields:
            raise Unsound(field)
        return self._fields[field]

    @property
    def data_shape(self) -> DataShape:
        """What the dataset will hold."""
        chosen: PartSettings = self["dataset"]
        shape = datasets.get(chosen.name).facts["shape"]
        found: DataShape = shape(**chosen.settings()) if callable(shape) else shape
        return found

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.data_shape.task

    @property
    def model_shape(self) -> ModelShape:
        """What the model is sized from."""
        data, loss = self.data_shape, losses.get(self["loss"].name)
        outputs = loss.facts.get("outputs") or data.classes or data.outputs
        return ModelShape(data.features, outputs)

    @property
    def split_sizes(self) -> Sizes:
        """How many samples train, validate and test."""
        split = self["split"]
        if split.column is not None:
            return self._counted
        if split.validation is None or split.test is None:
            raise Unsound("split")
        return sizes(self.data_shape.samples, split.validation, test=split.test)

    @property
    def facts(self) -> Facts | None:
        """What is known of the dataset if it is an upload; None of any other."""
        found: Facts | None = getattr(self["dataset"], "facts", None)
        return found

    @property
    def batch_size(self) -> int:
        """The size of a whole batch: never more than there are samples to train on."""
        return min(int(self["batch_size"]), self.split_sizes.train)

    @property
    def last_batch(self) -> int:
        """The size of an epoch's last batch, 0 when not even one is made."""
        wanted, train = int(self["batch_size"]), self.split_sizes.train
        if self["loader"].drop_last:
            return wanted if train >= wanted else 0
        return (train - 1) % wanted + 1 if train else 0

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch."""
        wanted, train = int(self["batch_size"]), self.split_sizes.train
        return train // wanted if self["loader"].drop_last else -(-train // wanted)

    @property
    def model(self) -> Part:
        """The model part."""
        return models.get(self["model"].name)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The names of the metrics."""
        if None in self["metrics"]:
            raise Unsound("metrics")
        return tuple(one.name for one in self["metrics"])

    @property
    def optimizer(self) -> Part:
        """The optimizer part."""
        return optimizers.get(self["optimizer"].name)

    @property
    def takes_data(self) -> bool:
        """Whether the model can read samples of this shape: some want images (channels, height, width)."""
        return not self.model.facts.get("images") or len(self.data_shape.features) == 3

    @property
    def cost(self) -> Cost:
        """The model's weights and activations."""
        if not self.takes_data:
            raise Unsound("model")
        found: Cost = self.model.facts["cost"](self.model_shape, **self["model"].settings())
        return found

    @property
    def optimizer_state(self) -> int:
        """How many numbers the optimizer keeps for each weight."""
        state = self.optimizer.facts.get("state", 2)
        return int(state(**self["optimizer"].settings()) if callable(state) else state)

    @property
    def _counted(self) -> Sizes:
        """The sizes that the split column was found to say."""
        counts = self.facts.split_counts if self.facts else {}
        if not counts:
            raise Unsound("split")
        return Sizes(**{part: counts.get(part, 0) for part in Sizes._fields})
