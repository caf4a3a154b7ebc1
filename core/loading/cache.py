"""Where data come from: bundled tables as arrays on disk, so that no later run needs scikit-learn, and uploads."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.data import Arrays
from core.errors import DataRefused, InvalidData
from core.files import written
from core.loading.source import Source
from core.parts.uploads import Upload
from core.registry import PartSettings, datasets
from core.shelf import Folders

_BROKEN = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


def load(
    chosen: PartSettings, *, cache: Path | None, uploads: Path | Folders | None = None, streaming: bool = False
) -> Source:
    """The dataset's arrays; those of a bundled table come from, and go to, an `.npz` file in `cache`.

    A file that cannot be read is made anew; a folder that cannot be written costs time only. An upload's file lies in
    the folder `uploads`; a table is not encoded yet. With `streaming` it and pictures stay in their file. Raises
    InvalidData for an upload that cannot be read.
    """
    if datasets.get(chosen.name).facts.get("uploaded"):
        return _uploaded(chosen, uploads, cache=cache, streaming=streaming)
    if cache is None or not datasets.get(chosen.name).facts.get("bundled"):
        return _build(chosen)
    path = cache / f"{chosen.name}.npz"
    with suppress(*_BROKEN):
        return _read(path)
    arrays = _build(chosen)
    with suppress(OSError):
        _write(path, arrays)
    return arrays


def text_file(chosen: PartSettings, *, uploads: Path | Folders | None) -> Path:
    """Where the text of an upload lies; raises InvalidData for one that cannot be read."""
    from core.loading.uploads import checked_file

    return checked_file(_upload(chosen, uploads))


def _uploaded(chosen: PartSettings, uploads: Path | Folders | None, *, cache: Path | None, streaming: bool) -> Source:
    from core.loading.uploads import read

    return read(_upload(chosen, uploads), cache=cache, streaming=streaming)


def _upload(chosen: PartSettings, uploads: Path | Folders | None) -> Upload:
    if uploads is None:
        raise InvalidData("This run was not told where uploads lie.", param="/dataset")
    folders = uploads if isinstance(uploads, Folders) else Folders(uploads)
    named_by = datasets.get(chosen.name).facts["named_by"]
    try:
        found: Upload = datasets.build(chosen, folders.uploads if named_by == "id" else folders.files)
    except DataRefused as refused:
        hint = "Every worker needs the folder that TRAINWIRE_FILES names, with the file in it."
        if "key" in datasets.get(chosen.name).facts:
            hint = "Every worker needs the dataset in its own cache: load it there once."
        raise InvalidData(refused.message, hint=hint, param=f"/dataset/{named_by}") from refused
    return found


def _build(chosen: PartSettings) -> Arrays:
    arrays: Arrays = datasets.build(chosen)
    return arrays


def _read(path: Path) -> Arrays:
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        return Arrays(file["x"], file["y"], _names(file["class_names"]), _names(file["feature_names"]))


def _write(path: Path, arrays: Arrays) -> None:
    class_names, feature_names = (np.array(names or (), str) for names in (arrays.class_names, arrays.feature_names))
    with written(path) as draft, draft.open("wb") as file:
        np.savez(file, x=arrays.x, y=arrays.y, class_names=class_names, feature_names=feature_names)


def _names(stored: np.ndarray[tuple[int], np.dtype[np.str_]]) -> tuple[str, ...] | None:
    return tuple(stored.tolist()) or None
