"""What a spec amounts to, by arithmetic alone: shapes, sizes, steps, cost, and the defaults that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.data import Cost, DataShape, ModelShape, Task
from core.dataset import Facts
from core.groups import dealt_sizes
from core.registry import Part, PartSettings, datasets, losses, models, optimizers, tokenizers
from core.series import series_sizes
from core.spec.auto import AUTO, AUTOS
from core.spec.axes import axes
from core.spec.cost import kept_by
from core.spec.embedding import as_codes, embeds, has_rows
from core.spec.reconstruction import as_itself, reconstructs
from core.split import Sizes, fold_sizes, sizes
from core.windows import window_sizes


class Unsound(Exception):
    """What was asked for rests on a part of the spec that is broken itself."""


class Outline:
    """A view of a spec's validated fields; what needs one that is not there, or is "auto", raises Unsound."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, field: str) -> Any:
        if field not in self._fields or self.is_auto(field):
            raise Unsound(field)
        return self._fields[field]

    def is_auto(self, field: str) -> bool:
        """Whether the run is to find this number: nobody knows it yet."""
        return field in AUTOS and self._fields.get(field) == AUTO

    @property
    def data_shape(self) -> DataShape:
        """What the dataset will hold."""
        facts = self.facts
        if facts is None or not facts.reads_text:
            return self.told
        wanted = self["preprocess"]
        length = wanted.block_size if facts.form == "text" else wanted.max_length
        if length is None or wanted.text is None:
            raise Unsound("preprocess")
        ids = tokenizers.get(wanted.text.name).facts["vocabulary"](**wanted.text.settings())
        shape = replace(self.told, features=(length,), vocabulary=ids)
        return replace(shape, samples=sum(self._windows), outputs=ids) if shape.next_token else shape

    @property
    def told(self) -> DataShape:
        """What the dataset is known to hold before it is told how a text is read."""
        chosen: PartSettings = self["dataset"]
        shape = datasets.get(chosen.name).facts["shape"]
        found: DataShape = shape(**chosen.settings()) if callable(shape) else shape
        if self.facts is not None and has_rows(self.facts) and embeds(self._fields.get("model")):
            found = as_codes(found, self.facts)
        return as_itself(found) if self._reconstructs else found

    @property
    def _reconstructs(self) -> bool:
        """Whether samples are their own targets; a text is not, whatever the model."""
        is_text = self.facts is not None and self.facts.reads_text
        return not is_text and reconstructs(self._fields.get("model"))

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.told.task

    @property
    def model_shape(self) -> ModelShape:
        """What the model is sized from."""
        data, loss = self.data_shape, losses.get(self["loss"].name)
        outputs = (loss.facts.get("outputs") or data.classes) if data.classes else data.outputs
        return ModelShape(data.features, outputs, data.vocabulary, data.categories)

    @property
    def split_sizes(self) -> Sizes:
        """How many samples train, validate and test; in the first fold, where all folds train."""
        return self.sizes_by_fold[(self["split"].fold or 1) - 1]

    @property
    def sizes_by_fold(self) -> tuple[Sizes, ...]:
        """How many samples train, validate and test in each fold, with those that come in files of their own."""
        apart = self.facts.apart if self.facts else {}
        beside = [apart[part].samples if part in apart else 0 for part in ("validation", "test")]
        return tuple(Sizes(one.train, one.validation + beside[0], one.test + beside[1]) for one in self._drawn_by_fold)

    @property
    def drawn_sizes(self) -> Sizes:
        """How many samples of the file that trains go into each part."""
        return self._drawn_by_fold[(self["split"].fold or 1) - 1]

    @property
    def _drawn_by_fold(self) -> tuple[Sizes, ...]:
        """How many samples train, validate and test in each fold; one entry without folds."""
        split = self["split"]
        if split.column is not None and split.folds is None:
            return (self._counted,)
        if split.column is not None or split.test is None or (split.validation is None) != (split.folds is not None):
            raise Unsound("split")
        if (split.fold or 1) > (split.folds or 1):
            raise Unsound("split")
        if split.group is not None:
            return self._grouped
        if split.folds is not None:
            return self._folded
        if self.told.next_token:
            return (self._windows,)
        if self.facts is not None and self.facts.series is not None:
            return (self._forecast,)
        return (sizes(self.data_shape.samples, split.validation, test=split.test),)

    @property
    def rounds(self) -> tuple[Outline, ...]:
        """The outlines of the trainings that a job of this spec is made of: its own, or one for each fold."""
        return tuple(Outline({**self._fields, "split": one}) for one in self["split"].rounds)

    @property
    def phases(self) -> tuple[Outline, ...]:
        """The outlines of the phases that are trained by in turn: this one, where there are none."""
        return tuple(Outline({**self._fields, **dict(one)}) for one in self["phases"] or ()) or (self,)

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
        return self.reads_data and len(self.data_shape.features) in axes(self.model)

    @property
    def reads_data(self) -> bool:
        """Whether the model reads tokens where the data is tokens, numbers where it is not, and predicts its target."""
        facts = self.model.facts
        reads = bool(facts.get("tokens")) == (self.data_shape.vocabulary is not None)
        return reads and self.task in facts.get("tasks", (self.task,))

    @property
    def scales_pictures(self) -> bool:
        """Whether a sample is scaled as one picture, not number by number."""
        facts = self.model.facts
        return bool(facts.get("images")) or (bool(facts.get("pictures")) and len(self.data_shape.features) == 3)

    @property
    def cost(self) -> Cost:
        """The model's weights and activations; raises Unsound too where no arithmetic knows them."""
        if not self.takes_data or self.model.facts["cost"] is None:
            raise Unsound("model")
        found: Cost = self.model.facts["cost"](self.model_shape, **self["model"].settings())
        return found

    @property
    def optimizer_state(self) -> int:
        """How many numbers the optimizer keeps for each weight, in the phase that keeps the most."""
        return max(kept_by(one["optimizer"]) for one in self.phases)

    @property
    def _windows(self) -> Sizes:
        """How many windows the parts of a plain text give."""
        split, block_size = self["split"], self["preprocess"].block_size
        if self.facts is None or None in (split.validation, split.test, block_size):
            raise Unsound("split")
        return window_sizes(self.facts.samples, split.validation, test=split.test, block_size=block_size)

    @property
    def _forecast(self) -> Sizes:
        """How many windows the parts of the series give."""
        lengths, series, split = self.facts.series if self.facts else None, self["dataset"].series, self["split"]
        shares = {"validation": split.validation or 0.0, "test": split.test or 0.0}
        return series_sizes(lengths or "", window=series.window, horizon=series.horizon, **shares)

    @property
    def _folded(self) -> tuple[Sizes, ...]:
        """The sizes of the parts in each fold, when no fold is empty."""
        split = self["split"]
        found = fold_sizes(self.data_shape.samples, split.folds, test=split.test)
        if not found[-1].validation:
            raise Unsound("split")
        return found

    @property
    def _grouped(self) -> tuple[Sizes, ...]:
        """The sizes that whole groups make of the parts."""
        split, groups = self["split"], self.facts.groups if self.facts else None
        if groups is None:
            raise Unsound("split")
        try:
            return dealt_sizes(groups, validation=split.validation, test=split.test, folds=split.folds)
        except ValueError:
            raise Unsound("split") from None

    @property
    def _counted(self) -> Sizes:
        """The sizes that the split column was found to say."""
        counts = self.facts.split_counts if self.facts else {}
        if not counts:
            raise Unsound("split")
        return Sizes(**{part: counts.get(part, 0) for part in Sizes._fields})
