"""Data that is larger than memory: what is fitted to it, and samples whose features are read as they are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.dataset import Facts
from core.encoding import readings
from core.loading import preprocess
from core.loading.columns import LazyColumns
from core.loading.encoding import Encoder, Rows
from core.loading.order import BLOCK_BYTES, WINDOW, block_rows
from core.loading.picture_files import PictureFiles
from core.loading.preprocess import Scaling
from core.loading.samples import Samples, SampleSet
from core.loading.streamed import Streamed
from core.loading.surveying import survey_pictures, survey_table
from core.spec import JobSpec

KEPT_BYTES = WINDOW * BLOCK_BYTES
"""A part that is held back and takes no more is read once and kept: each epoch is judged by it."""

_PIECES = 4
"""In which a block is encoded: what is float64 on the way stays small."""

MakeSamples = Callable[[Rows, Tensor], SampleSet]
"""Gives the samples at these rows of the data, whose targets are these."""


@dataclass(frozen=True)
class Features:
    """The scaling of the features, how samples are made, and how a table's columns became features."""

    scaling: Scaling
    samples: MakeSamples
    encoder: Encoder | None = None


def fit(spec: JobSpec, source: LazyColumns | PictureFiles, train: Rows) -> Features:
    """Everything that is fitted to features, by the rows of the training part alone; raises InvalidData."""
    return _of_pictures(spec, source, train) if isinstance(source, PictureFiles) else _of_table(spec, source, train)


@dataclass(frozen=True)
class _TableReader:
    """Reads some rows of a table and makes features of them; it can be sent to another process."""

    columns: LazyColumns
    encoder: Encoder
    scaling: Scaling
    rows: Rows
    block: int

    def __call__(self, places: NDArray[np.intp]) -> Tensor:
        names = tuple(code.name for code in self.encoder.codes)
        x = torch.empty((len(places), len(self.encoder.slots)))
        for start in range(0, len(places), self.block):
            block = x[start : start + self.block]
            cells = self.columns.block(self.rows[places[start : start + self.block]], names)
            for at in np.array_split(np.arange(len(block)), min(_PIECES, len(block))):
                block[at[0] : at[-1] + 1] = self.scaling(self.encoder(cells, at))
        return x


def _of_table(spec: JobSpec, columns: LazyColumns, train: Rows) -> Features:
    read = readings(_facts(spec).columns, embeds=bool(spec.data_shape.categories))
    encoder, scaling = survey_table(columns, read, train, kind=spec.preprocess.features)
    block = block_rows(spec.data_shape.features)
    origin = f"{_facts(spec).sha256} {encoder.statistics()} {scaling.statistics()}"

    def samples(rows: Rows, y: Tensor) -> SampleSet:
        return _kept(Streamed(_TableReader(columns, encoder, scaling, rows, block), y, block, origin), rows is train)

    return Features(scaling, samples, encoder)


@dataclass(frozen=True)
class _PictureReader:
    """Decodes some of the pictures in a zip."""

    files: PictureFiles
    scaling: Scaling
    rows: Rows

    def __call__(self, places: NDArray[np.intp]) -> Tensor:
        x, some = torch.empty((len(places), *self.files.shape)), block_rows(self.files.shape)
        for start in range(0, len(places), some):
            x[start : start + some] = self.scaling(self.files.pictures(self.rows[places[start : start + some]]))
        return x


def _of_pictures(spec: JobSpec, files: PictureFiles, train: Rows) -> Features:
    wanted = spec.preprocess.features
    scaling = preprocess.unscaled()
    if wanted != "none":
        block = block_rows(spec.data_shape.features)
        decoded = (files.pictures(train[start : start + block]) for start in range(0, len(train), block))
        scaling = survey_pictures(decoded, kind=wanted, whole=spec.scales_pictures)
    origin = f"{_facts(spec).sha256} {files.shape} {files.resize} {scaling.statistics()}"

    def samples(rows: Rows, y: Tensor) -> SampleSet:
        return _kept(Streamed(_PictureReader(files, scaling, rows), y, 1, origin), rows is train)

    return Features(scaling, samples)


def _kept(streamed: Streamed, trains: bool) -> SampleSet:  # noqa: FBT001
    """What is held back, in memory where it is small."""
    bytes_ = 4 * streamed.size * int(np.prod(streamed.read(np.arange(1)).shape[1:]))
    return streamed if trains or bytes_ > KEPT_BYTES else Samples(streamed.x, streamed.y)


def _facts(spec: JobSpec) -> Facts:
    facts: Facts = spec.dataset.settings()["facts"]
    return facts
