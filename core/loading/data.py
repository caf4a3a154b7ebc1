"""From a spec's dataset to tensors: loaded, checked, split, encoded, scaled."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.data import Arrays, DataShape
from core.dataset import Facts
from core.encoding import readings
from core.errors import InvalidData
from core.loading import encoding, joining, preprocess, series, split, streaming, text
from core.loading.batches import at_home
from core.loading.cache import load, text_file
from core.loading.columns import LazyColumns
from core.loading.encoding import Encoder
from core.loading.picture_files import PictureFiles
from core.loading.preprocess import Scaling
from core.loading.samples import Samples, SampleSet
from core.loading.source import Source, without_target
from core.loading.table import Table, Words, words
from core.loading.tokens import Tokens, learned
from core.shelf import Folders
from core.spec import JobSpec


@dataclass(frozen=True)
class Columns:
    """What the numbers stand for: how features and target were scaled, and their names where they have any."""

    features: Scaling
    target: Scaling
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    encoder: Encoder | None = None
    """How a table's columns became features, before these were scaled."""
    tokens: Tokens | None = None
    """How text became features, which have no scale."""

    def inputs(self, x: NDArray[Any]) -> Tensor:
        """The features as the model gets them: float32 and scaled, or int64 tokens."""
        return self.features(x) if self.tokens is None else torch.tensor(x, dtype=torch.int64)


@dataclass(frozen=True)
class Data:
    """What a run trains on, and what is held back to judge it by (None without a split)."""

    train: SampleSet
    held: SampleSet | None
    columns: Columns
    test: SampleSet | None = None
    """Looked at once, when all is done: it stays in main memory."""
    rows: Mapping[str, split.Rows] = field(default_factory=dict)
    """Which row of the dataset each sample of a held back part is, from 1, by the part's name; a text has none."""

    @property
    def last(self) -> SampleSet | None:
        """What the weights that are kept are judged by: the test part, or what validates without one."""
        return self.held if self.test is None else self.test

    def on(self, device: torch.device, *, train: bool) -> Data:
        """The same data on `device`: what is held back, and with `train` what trains, as far as that fits there."""
        home = at_home(self.train, device) if train else self.train
        return replace(self, train=home, held=self.held and self.held.to(device))

    @cached_property
    def digest(self) -> str:
        """The beginning of the SHA-256 of what tells the data from any other; computed when first asked for."""
        whole = hashlib.sha256()
        for samples in filter(None, (self.train, self.held, self.test)):
            for piece in samples.identity():
                whole.update(piece)
        return whole.hexdigest()[:16]


def make(spec: JobSpec, *, cache: Path | None, datasets: Path | Folders | None = None) -> Data:
    """Load, split, encode and scale the data of `spec`; what is fitted, is on the training part alone.

    `datasets` is where uploads lie. Raises InvalidData when the arrays are not what the dataset promised,
    hold a NaN or an infinity, or cannot be read at all.
    """
    made = _made(spec, cache=cache, datasets=datasets)
    if not spec.data_shape.reconstructs:
        return made
    return replace(made, columns=replace(made.columns, target=made.columns.features))


def _made(spec: JobSpec, *, cache: Path | None, datasets: Path | Folders | None) -> Data:
    if spec.data_shape.next_token:
        return _plain_text(spec, text_file(spec.dataset, uploads=datasets))
    source = load(spec.dataset, cache=cache, uploads=datasets, streaming=spec.loader.streaming)
    if spec.data_shape.reconstructs:
        source = without_target(source)
    if isinstance(source, Table) and spec.dataset.settings().get("series") is not None:
        return _series(spec, source)
    _check(source, replace(spec.data_shape, samples=sum(spec.split_sizes)), name=spec.dataset.name)
    parts = joining.parts(spec, source)
    if (file := _in_file(source)) is not None:
        return _streamed(spec, source, streaming.fit(spec, file, parts.train), parts)
    reading = _reading(spec, source, parts.train)
    train = reading.rows(parts.train)
    columns = _fit(spec, reading, train, target=source.y[parts.train], class_names=source.class_names)

    def samples(x: NDArray[Any], rows: split.Rows) -> Samples:
        y = source.y[rows]
        return Samples(
            columns.inputs(x), torch.tensor(y, dtype=torch.int64) if spec.data_shape.classes else columns.target(y)
        )

    held, test = (samples(reading.rows(rows), rows) if len(rows) else None for rows in (parts.validation, parts.test))
    return Data(samples(train, parts.train), held, columns, test, joining.numbered(spec, parts))


@dataclass(frozen=True)
class _Reading:
    """Gives rows of the features as numbers `(rows, *features)`, not scaled yet, and says what these are."""

    rows: Callable[[split.Rows], NDArray[Any]]
    names: tuple[str, ...] | None
    encoder: Encoder | None = None
    tokens: Tokens | None = None


def _in_file(source: Source) -> LazyColumns | PictureFiles | None:
    """What is not in memory, if it is not."""
    if isinstance(source, PictureFiles):
        return source
    return source.columns if isinstance(source, Table) and isinstance(source.columns, LazyColumns) else None


def _streamed(spec: JobSpec, source: Source, made: streaming.Features, parts: split.Parts) -> Data:
    target, encoder = preprocess.fit(spec.preprocess.target, source.y[parts.train]), made.encoder
    names = None if encoder is None else encoder.slots

    def samples(rows: split.Rows) -> SampleSet:
        y = source.y[rows]
        return made.samples(rows, torch.tensor(y, dtype=torch.int64) if spec.data_shape.classes else target(y))

    held, test = (samples(rows) if len(rows) else None for rows in (parts.validation, parts.test))
    columns = Columns(made.scaling, target, source.class_names, names, encoder)
    return Data(samples(parts.train), held, columns, test, joining.numbered(spec, parts))


def _series(spec: JobSpec, table: Table) -> Data:
    if not (_is_finite(table) and np.isfinite(table.y).all()):
        raise InvalidData(f"The dataset {spec.dataset.name!r} holds infinite numbers; there is no learning from these.")
    made = series.read(spec, table)
    columns = Columns(made.features, made.target, feature_names=made.encoder.slots, encoder=made.encoder)
    return Data(made.parts["train"], made.parts.get("validation"), columns, made.parts.get("test"), made.numbers)


def _plain_text(spec: JobSpec, path: Path) -> Data:
    tokens, parts = text.read(spec, path)
    unscaled = preprocess.fit("none", np.empty((0, 1)))
    columns = Columns(unscaled, unscaled, tokens=tokens)
    return Data(parts["train"], parts.get("validation"), columns, parts.get("test"))


def _reading(spec: JobSpec, source: Source, train: split.Rows) -> _Reading:
    if isinstance(source, Arrays):
        return _Reading(source.x.__getitem__, source.feature_names)
    if isinstance(source, PictureFiles):
        raise TypeError("These pictures are not in memory.")
    facts: Facts = spec.dataset.settings()["facts"]
    if facts.text_column is not None:
        texts = words(source.columns[facts.text_column]).spelled()
        length = spec.data_shape.features[0]
        tokens = learned(spec.preprocess.text, filter(None, texts[train]), length=length, column=facts.text_column)
        return _Reading(lambda rows: tokens(texts[rows].tolist()), None, tokens=tokens)
    read = readings(facts.columns, embeds=bool(spec.data_shape.categories))
    encoder = encoding.fit(source.columns, read, train)
    return _Reading(functools.partial(encoder, source.columns), encoder.slots, encoder)


def _fit(
    spec: JobSpec,
    reading: _Reading,
    train: NDArray[Any],
    *,
    target: NDArray[Any],
    class_names: tuple[str, ...] | None,
) -> Columns:
    encoder, wanted = reading.encoder, spec.preprocess
    only, coded = (None, 0) if encoder is None else (encoder.scaled, encoder.coded)
    features = preprocess.fit(wanted.features, train, whole=spec.scales_pictures, only=only, coded=coded)
    return Columns(features, preprocess.fit(wanted.target, target), class_names, reading.names, encoder, reading.tokens)


def _check(source: Source, shape: DataShape, *, name: str) -> None:
    outputs = () if shape.classes else (1 if shape.reconstructs else shape.outputs,)
    promised = ((shape.samples, *shape.features), (shape.samples, *outputs))
    # a table's columns are encoded, and pictures decoded, to the promised width whatever they hold
    x = source.x.shape if isinstance(source, Arrays) else (len(source.y), *shape.features)
    if (x, source.y.shape) != promised:
        raise InvalidData(f"The dataset {name!r} holds {x} and {source.y.shape}, not {promised} as it says.")
    if not (_is_finite(source) and np.isfinite(source.y).all()):
        raise InvalidData(f"The dataset {name!r} holds NaN or infinite numbers; there is no learning from these.")
    if shape.classes and not (source.y.min() >= 0 and source.y.max() < shape.classes):
        raise InvalidData(f"The dataset {name!r} holds labels outside 0 to {shape.classes - 1}.")


def _is_finite(source: Source) -> bool:
    """Whether every number is one; a table's NaN is an empty cell. What is in a file is judged as it is read."""
    if isinstance(source, Arrays):
        return bool(np.isfinite(source.x).all())
    if isinstance(source, PictureFiles) or isinstance(source.columns, LazyColumns):
        return True
    return not any(np.isinf(cells).any() for cells in source.columns.values() if not isinstance(cells, Words))
