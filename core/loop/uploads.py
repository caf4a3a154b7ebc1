"""Uploads as a run reads them: the very file that the job was queued with, as arrays or as a table."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.data import Arrays
from core.dataset import Facts
from core.encoding import Reading
from core.errors import InvalidData
from core.loop.files import sha256
from core.loop.table import Cells, Table, Words
from core.parts.uploads import Upload

if TYPE_CHECKING:
    import polars as pl

_BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


def read(upload: Upload, *, cache: Path | None) -> Arrays | Table:
    """What the job learns from, all in memory; decoded pictures are kept in `cache`.

    Raises InvalidData when the file is gone, is another one, or does not hold what was found in it.
    """
    _check(upload)
    if upload.facts.form == "table":
        return _table(upload)
    if upload.facts.form == "images":
        from core.loop import pictures

        return pictures.read(upload.path, upload.facts, cache=cache)
    return _arrays(upload.path, upload.facts)


def _check(upload: Upload) -> None:
    try:
        found = sha256(upload.path)
    except FileNotFoundError:
        told = f"The file of the dataset {upload.id} is not in the artifacts folder any more."
        raise InvalidData(told, hint="Upload it again, and submit the job anew.", param="/dataset/id") from None
    if found != upload.facts.sha256:
        told = f"The file of the dataset {upload.id} is not the one that was uploaded: its SHA-256 differs."
        hint = "Delete the dataset, upload its file again, and submit the job anew."
        raise InvalidData(told, hint=hint, param="/dataset/id")


def _arrays(path: Path, facts: Facts) -> Arrays:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            x, y = file["x"], file["y"]
    except _BROKEN as error:
        raise InvalidData(f"The uploaded arrays cannot be read: {error}.") from error
    x = np.ascontiguousarray(x, np.float32).reshape(len(x), *facts.features)
    if facts.classes is None:
        return Arrays(x, np.ascontiguousarray(y, np.float32).reshape(len(y), -1))
    names, labels = np.unique(y, return_inverse=True)
    return Arrays(x, labels.reshape(-1).astype(np.int64), tuple(_label(name) for name in names.tolist()))


def _table(upload: Upload) -> Table:
    # read when polars is first imported: the job's own number of threads, not one for each processor
    os.environ.setdefault("POLARS_MAX_THREADS", str(torch.get_num_threads()))
    from core.intake import read_table

    facts, target = upload.facts, str(upload.target)
    readings = {name: Reading.parse(text) for name, text in {**facts.columns, **facts.others}.items()}
    kinds = {name: reading.kind for name, reading in readings.items()}
    frame = read_table(upload.path, facts.format, {**kinds, target: Reading.parse(str(facts.target)).kind})
    frame = frame.drop_nulls(target)  # only with drop_missing_target has the job been queued when there are any
    columns: Mapping[str, Cells] = {name: _cells(frame[name]) for name in readings}
    goal = _cells(frame[target])
    if facts.classes is None:
        return Table(columns, np.asarray(goal).reshape(-1, 1))
    return Table(columns, *_classes(goal, frame[target].dtype.is_numeric()))


def _cells(column: pl.Series) -> Cells:
    import polars as pl

    if column.dtype == pl.String:
        names = column.drop_nulls().unique().sort()
        codes = column.cast(pl.Enum(names)).to_physical().cast(pl.Int32).fill_null(-1)
        return Words(codes.to_numpy(), tuple(names.to_list()))
    if column.dtype == pl.Datetime:
        return column.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    return column.cast(pl.Float64).to_numpy()


def _classes(cells: Cells, is_number: bool) -> tuple[NDArray[Any], tuple[str, ...]]:  # noqa: FBT001
    """Each row's class, and the classes' names in the order of their values."""
    if isinstance(cells, Words):
        return cells.codes.astype(np.int64), cells.names
    values, labels = np.unique(cells, return_inverse=True)
    names = (_label(value) for value in values.tolist()) if is_number else ("false", "true")
    return labels.reshape(-1).astype(np.int64), tuple(names)


def _label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
