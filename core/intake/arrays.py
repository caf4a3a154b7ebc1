"""NumPy files: the header is judged before a number is read, nothing is ever unpickled, and no array is held whole."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.dataset import Format, Profile, Targets
from core.intake.archives import BROKEN, Unusable, opened
from core.intake.limits import Limits
from core.intake.places import SHOWN, Places, refused, shown

MOST_CLASSES = 1_000
"""More distinct whole numbers than this are numbers to predict, not classes."""
_CHUNK = 8 << 20
_MOST_AXES = 8
_UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, SyntaxError, TokenError, MemoryError, RecursionError)
"""What numpy raises over a header that is none: it is parsed as a Python literal."""
_SEVERAL = "x (samples first) and y (a target for each)"

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Stored:
    """One array as it lies in a file, behind its header."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_column: bool
    file: IO[bytes]

    def chunks(self) -> Iterator[tuple[int, Values]]:
        """The values in the order of the file, with the index of the first of each chunk."""
        count, taken = math.prod(self.shape), 0
        while taken < count:
            asked = min(count - taken, max(1, _CHUNK // self.dtype.itemsize)) * self.dtype.itemsize
            found = self.file.read(asked)
            if len(found) < asked:
                raise refused(f"the array {self.name} breaks off.")
            yield taken, np.frombuffer(found, self.dtype)
            taken += asked // self.dtype.itemsize

    def place(self, index: int) -> tuple[int, tuple[int, ...]]:
        """The row, from 1, and the position within its sample of the value at `index` in the file."""
        row, *within = (int(axis) for axis in np.unravel_index(index, self.shape, order="F" if self.by_column else "C"))
        return row + 1, tuple(within)


def inspect(path: Path, format_: Format, limits: Limits) -> Profile:
    """What is in an NPY or NPZ file. Raises DataRefused with places."""
    if format_ == "npy":
        with path.open("rb") as file:
            return _profile(_stored("x", file, path.stat().st_size), None, format_, limits)
    try:
        with opened(path, limits) as archive:
            for trouble in archive.troubles:
                raise refused(f"the NPZ cannot be used: {shown(trouble.place)}: {trouble.message}.")
            entries = {entry.filename: entry for entry in archive.files}
            return _pair(archive.file, entries, limits)
    except Unusable as error:
        raise refused(f"the NPZ cannot be used: {error}.") from error
    except (*BROKEN, zipfile.error) as error:
        raise refused(f"the NPZ is damaged: {error}.") from error


def _pair(file: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], limits: Limits) -> Profile:
    if "x.npy" not in entries:
        names = ", ".join(shown(name.removesuffix(".npy")) for name in list(entries)[:SHOWN])
        raise refused(f"there is no array x among {names}: name the arrays {_SEVERAL}.")
    with file.open("x.npy") as first:
        x = _stored("x", first, entries["x.npy"].file_size)
        if "y.npy" not in entries:
            return _profile(x, None, "npz", limits)
        with file.open("y.npy") as second:
            return _profile(x, _stored("y", second, entries["y.npy"].file_size), "npz", limits)


def _stored(name: str, file: IO[bytes], size: int) -> _Stored:
    """The array whose header `file` begins with. Raises DataRefused for a header that lies about the size."""
    head = io.BytesIO(file.read(npy.MAGIC_LEN))
    try:
        version = npy.read_magic(head)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_column, dtype = read(file)
    except _UNREADABLE as error:
        raise refused(f"the header of the array {name} cannot be read.") from error
    if dtype.hasobject:
        raise refused(f"the array {name} holds Python objects, which are code: save numbers (or words, as dtype str).")
    if dtype.kind not in "biufU" or dtype.itemsize == 0 or (dtype.kind == "f" and dtype.itemsize > 8):
        raise refused(f"the array {name} holds {dtype}: numbers, truths or words are read.")
    if len(shape) > _MOST_AXES or any(axis < 1 for axis in shape):
        raise refused(
            f"the array {name} has the shape {shape}: every axis must be 1 or more, and {_MOST_AXES} at most."
        )
    declared, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if declared != held:
        raise refused(f"the array {name} should take {declared:,} bytes by its header, but there are {held:,}.")
    return _Stored(name, shape, dtype, by_column, file)


def _profile(x: _Stored, y: _Stored | None, format_: Format, limits: Limits) -> Profile:
    if len(x.shape) < 2 or x.dtype.kind == "U":
        raise refused(
            f"the array x has the shape {x.shape} and holds {x.dtype}: it must be numbers, (samples, features)."
        )
    rows = x.shape[0]
    if rows > limits.rows:
        raise refused(f"there are {rows:,} samples; {limits.rows:,} are allowed.")
    if y is not None and (y.shape[0] if y.shape else 0) != rows:
        raise refused(f"x has {rows:,} samples, y the shape {y.shape}: it must have a target for each.")
    places = Places()
    _judge_numbers(x, places)
    targets = None if y is None else _targets(y, limits, places)
    places.judge()
    return Profile("arrays", format_, rows, shape=x.shape[1:], targets=targets)


def _targets(y: _Stored, limits: Limits, places: Places) -> Targets:
    """Classes of whole numbers, truths and words; otherwise numbers."""
    if len(y.shape) > 2:
        raise refused(f"the array y has the shape {y.shape}: it must be (samples,) or (samples, outputs).")
    outputs = math.prod(y.shape[1:])
    if y.dtype.kind == "f" or (outputs > 1 and y.dtype.kind != "U"):
        _judge_numbers(y, places)
        return Targets(None, outputs)
    if outputs > 1 or y.dtype.itemsize > limits.cell_bytes:
        raise refused(
            f"the array y has {outputs} words of {y.dtype.itemsize:,} bytes for a sample: give one, and short."
        )
    classes = _distinct(y)
    if classes <= MOST_CLASSES:
        return Targets(classes)
    if y.dtype.kind == "U":
        raise refused(f"the array y has more than {MOST_CLASSES:,} different words: too many for classes.")
    return Targets(None)


def _distinct(y: _Stored) -> int:
    """How many different values there are; one more than MOST_CLASSES stands for more."""
    found: set[Any] = set()
    for _, values in y.chunks():
        if len(found) <= MOST_CLASSES:
            found.update(np.unique(values)[: MOST_CLASSES + 1].tolist())
    return min(len(found), MOST_CLASSES + 1)


def _judge_numbers(array: _Stored, places: Places) -> None:
    """Note the numbers that training, in float32, cannot take: NaN and infinity."""
    for first, values in array.chunks():
        with np.errstate(over="ignore"):
            wrong = np.flatnonzero(~np.isfinite(values.astype(np.float32, copy=False)))
        for index in wrong[:SHOWN].tolist():
            row, within = array.place(first + index)
            told = "not a number (NaN)" if np.isnan(values[index]) else "infinite, or too large for float32"
            at = f" at {within}" if within else ""
            places.add(f"the value{at} is {told}.", row=row, column=array.name)
        places.add_more(max(0, len(wrong) - SHOWN))
