"""From a spec's dataset to tensors: loaded, checked, split, scaled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from core.data import Arrays, DataShape
from core.errors import InvalidData
from core.loop import preprocess, split
from core.loop.batches import at_home
from core.loop.cache import load
from core.loop.preprocess import Scaling
from core.loop.samples import Samples
from core.registry import models
from core.spec import JobSpec


@dataclass(frozen=True)
class Columns:
    """What the numbers stand for: how features and target were scaled, and their names where they have any."""

    features: Scaling
    target: Scaling
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Data:
    """What a run trains on, and what is held back to judge it by (None without a split)."""

    train: Samples
    held: Samples | None
    columns: Columns

    def on(self, device: torch.device, *, train: bool) -> Data:
        """The same data on `device`: what is held back, and with `train` what trains, as far as that fits there."""
        home = at_home(self.train, device) if train else self.train
        return replace(self, train=home, held=self.held and self.held.to(device))

    @cached_property
    def digest(self) -> str:
        """The beginning of the SHA-256 of all the numbers, as the model gets them; computed when first asked for."""
        whole = hashlib.sha256()
        for samples in filter(None, (self.train, self.held)):
            for numbers in samples:
                whole.update(f"{numbers.dtype} {tuple(numbers.shape)}".encode())
                whole.update(numbers.cpu().contiguous().numpy().data)
        return whole.hexdigest()[:16]


def make(spec: JobSpec, *, cache: Path | None) -> Data:
    """Load, split and scale the data of `spec`; both scalings are fitted on the training part alone.

    Raises InvalidData when the arrays are not what the dataset promised, or hold a NaN or an infinity.
    """
    arrays = load(spec.dataset, cache=cache)
    _check(arrays, spec.data_shape, name=spec.dataset.name)
    train, held = _draw(spec, arrays)
    columns = _fit(spec, arrays, train)

    def samples(rows: split.Rows) -> Samples:
        x, y = arrays.x[rows], arrays.y[rows]
        return Samples(
            columns.features(x), torch.tensor(y, dtype=torch.int64) if spec.data_shape.classes else columns.target(y)
        )

    return Data(samples(train), samples(held) if len(held) else None, columns)


def _draw(spec: JobSpec, arrays: Arrays) -> tuple[split.Rows, split.Rows]:
    classes = arrays.y.astype(np.int64, copy=False) if spec.split.stratify else None
    return split.draw(len(arrays.x), spec.val_samples, seed=spec.split.seed, classes=classes)


def _fit(spec: JobSpec, arrays: Arrays, train: split.Rows) -> Columns:
    images = bool(models.get(spec.model.name).facts.get("images"))
    features = preprocess.fit(spec.preprocess.features, arrays.x[train], whole=images)
    target = preprocess.fit(spec.preprocess.target, arrays.y[train])
    return Columns(features, target, arrays.class_names, arrays.feature_names)


def _check(arrays: Arrays, shape: DataShape, *, name: str) -> None:
    promised = ((shape.samples, *shape.features), (shape.samples,) if shape.classes else (shape.samples, shape.outputs))
    if (arrays.x.shape, arrays.y.shape) != promised:
        raise InvalidData(
            f"The dataset {name!r} holds {arrays.x.shape} and {arrays.y.shape}, not {promised} as it says."
        )
    if not (np.isfinite(arrays.x).all() and np.isfinite(arrays.y).all()):
        raise InvalidData(f"The dataset {name!r} holds NaN or infinite numbers; there is no learning from these.")
    if shape.classes and not (arrays.y.min() >= 0 and arrays.y.max() < shape.classes):
        raise InvalidData(f"The dataset {name!r} holds labels outside 0 to {shape.classes - 1}.")
