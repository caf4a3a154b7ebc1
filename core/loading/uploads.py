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
from core.dataset import Facts, Format, Kind
from core.encoding import Reading
from core.errors import InvalidData
from core.files import sha256
from core.loading.columns import LazyColumns, cells_of
from core.loading.joining import joined
from core.loading.source import Source, without_target
from core.loading.table import Cells, Table, Words, numbers, words
from core.parts.uploads import Upload
from core.spec.targets import labels_of

if TYPE_CHECKING:
    import polars as pl

    from core.intake.lazily import LazyTable

_BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


def read(upload: Upload, *, cache: Path | None, streaming: bool = False) -> Source:
    """What the job learns from, all in memory; decoded pictures are kept in `cache`.

    With `streaming` a table's columns, and pictures, stay in the file until they are asked for.

    Files that validate or test come behind it, as `core.loading.joining` says.

    Raises InvalidData when a file is gone, is another one, or does not hold what was found in it.
    """
    whole = _read(upload, cache=cache, streaming=streaming)
    return joined(whole, {part: _read(one, cache=cache) for part, one in upload.apart.items()})


def _read(upload: Upload, *, cache: Path | None, streaming: bool = False) -> Source:
    _check(upload)
    found = _found(upload, cache=cache, streaming=streaming)
    return without_target(found) if upload.facts.itself else found


def _found(upload: Upload, *, cache: Path | None, streaming: bool) -> Source:
    if upload.facts.form == "table":
        return _table(upload, streaming=streaming)
    if upload.facts.form == "images":
        from core.loading import picture_files, pictures

        if streaming:
            return picture_files.list_pictures(upload.path, upload.facts, resize=upload.resize)
        return pictures.read(upload.path, upload.facts, cache=cache, resize=upload.resize)
    return _arrays(upload.path, upload.facts)


def checked_file(upload: Upload) -> Path:
    """Where the upload lies; raises InvalidData when it is gone, or another file."""
    _check(upload)
    return upload.path


def _check(upload: Upload) -> None:
    what = f"The file {'of the dataset ' if upload.uploaded else ''}{upload.id}"
    param = f"/dataset/{upload.setting}"
    try:
        found = sha256(upload.path)
    except OSError as error:
        where = "the artifacts folder" if upload.uploaded else "the folder of the files"
        told = f"{what} is not in {where} any more, or cannot be read: {error.strerror}."
        hint = f"{'Upload it again' if upload.uploaded else 'Put it back'}, and submit the job anew."
        raise InvalidData(told, hint=hint, param=param) from None
    if found != upload.facts.sha256:
        was = "that was uploaded" if upload.uploaded else "that the job was queued with"
        told = f"{what} is not the one {was}: its SHA-256 differs."
        hint = "Delete the dataset, upload its file again, and submit" if upload.uploaded else "Submit"
        raise InvalidData(told, hint=f"{hint} the job anew.", param=param)


def _arrays(path: Path, facts: Facts) -> Arrays:
    try:
        with path.open("rb") as opened:
            x, y = _of_file(np.load(opened, allow_pickle=False), itself=facts.itself)
    except _BROKEN as error:
        raise InvalidData(f"The uploaded arrays cannot be read: {error}.") from error
    x = np.ascontiguousarray(x, np.float32).reshape(len(x), *facts.features)
    if facts.classes is None:
        return Arrays(x, np.ascontiguousarray(y, np.float32).reshape(len(y), -1))
    names, labels = np.unique(y, return_inverse=True)
    return Arrays(x, labels.reshape(-1).astype(np.int64), tuple(_label(name) for name in names.tolist()))


def _of_file(file: Any, *, itself: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """The samples and their targets; without a target they may be all that the file holds."""
    if isinstance(file, np.ndarray):
        return file, np.zeros(len(file))
    with file:
        return file["x"], np.zeros(len(file["x"])) if itself else file["y"]


def read_frame(path: Path, format_: Format, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """These columns of a table by their kinds (see `core.intake.read_table`), read with the job's number of threads."""
    _set_threads()
    from core.intake import read_table

    return read_table(path, format_, kinds)


def _set_threads() -> None:
    """Read when polars is first imported: the job's own number, not one for each processor."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(torch.get_num_threads()))


def _table(upload: Upload, *, streaming: bool) -> Table:
    facts = upload.facts
    told = {**facts.columns, **facts.others}
    kinds = {name: Reading.parse(text).kind for name, text in {**told, **upload.targets}.items()}
    # a job is queued without drop_missing_target when there are none
    goals = list(upload.targets)
    if streaming:
        _set_threads()
        from core.intake import open_table

        lazy = open_table(upload.path, kinds)
        lazy = lazy.drop_nulls(goals) if goals else lazy
        return Table(LazyColumns(lazy, tuple(told)), *_goals(upload, lazy))
    frame = read_frame(upload.path, facts.format, kinds)
    frame = frame.drop_nulls(goals) if goals else frame
    columns: Mapping[str, Cells] = {name: cells_of(frame[name]) for name in told}
    return Table(columns, *_goals(upload, frame))


def _goals(upload: Upload, frame: pl.DataFrame | LazyTable) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """The targets as `Table` has them, and the names of classes or labels."""
    facts, cells = upload.facts, [cells_of(frame[name]) for name in upload.targets]
    if facts.itself:
        return np.zeros((facts.samples, 1)), None
    if upload.separator is not None and facts.labels is not None:
        return _separated(words(cells[0]), facts.labels, upload.separator), facts.labels
    if facts.classes is None:
        return np.stack([numbers(one) for one in cells], axis=1), facts.labels
    return _classes(cells[0], frame[next(iter(upload.targets))].dtype.is_numeric())


def _separated(cells: Words, labels: tuple[str, ...], separator: str) -> NDArray[np.float64]:
    """A 1 for each of the `labels` that stand in a cell: `(rows, labels)`; InvalidData for another one."""
    places = {label: place for place, label in enumerate(labels)}
    has = np.zeros((len(cells.names), len(labels)))
    for row, name in enumerate(cells.names):
        for label in labels_of(name, separator):
            if label not in places:
                raise InvalidData(f"The label {label!r} was not there when the job was queued.", param="/dataset")
            has[row, places[label]] = 1
    return has[cells.codes]


def _classes(cells: Cells, is_number: bool) -> tuple[NDArray[Any], tuple[str, ...]]:  # noqa: FBT001
    """Each row's class, and the classes' names in the order of their values."""
    if isinstance(cells, Words):
        return cells.codes.astype(np.int64), cells.names
    values, labels = np.unique(cells, return_inverse=True)
    names = (_label(value) if is_number else str(bool(value)).lower() for value in values.tolist())
    return labels.reshape(-1).astype(np.int64), tuple(names)


def _label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
