"""Weights as safetensors: the header is judged in full, and no number behind it is read or run."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.dataset import Profile, Tensor
from core.intake.places import refused, shown

MAX_HEADER = 4 << 20
"""Bytes: some 30,000 tensors. The format allows 100 MB, which as Python objects would take gigabytes."""
MAX_TENSORS = 20_000
LISTED = 1_000
"""Tensors that a profile names."""
SIZES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
"""Bytes of a number of each type that a model here may be given."""
_METADATA = "__metadata__"
_LENGTH = 8
_MOST_AXES = 16
_LONGEST_NAME = 500
_LARGEST = 1 << 48
"""Of an axis and an offset; no file is that long."""


class _Entry(NamedTuple):
    """A tensor and where it lies: from byte `begin` to before byte `end`, counted behind the header."""

    begin: int
    end: int
    tensor: Tensor


def inspect(path: Path) -> Profile:
    """The profile of weights; raises DataRefused for a header that is none, and for one that does not fit the file."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        if length > MAX_HEADER:
            raise refused(f"its header has {length:,} bytes; at most {MAX_HEADER:,} are read.")
        header = file.read(length)
    held = path.stat().st_size - _LENGTH - length
    if held < 0:
        raise refused(f"its header should have {length:,} bytes, and the file ends before that.")
    entries = sorted(_entries(_parsed(header)), key=lambda one: one[:2])
    _judge_places(entries, held)
    tensors = tuple(one.tensor for one in entries)
    numbers = sum(math.prod(one.shape) for one in tensors)
    return Profile("weights", "safetensors", len(tensors), tensors=tensors[:LISTED], parameters=numbers)


def _parsed(header: bytes) -> dict[str, Any]:
    """The header as JSON says it, of which no name comes twice."""
    try:
        found = json.loads(header, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise refused(f"its header is no JSON: {str(error)[:200]}.") from error
    if not isinstance(found, dict) or not found.keys() - {_METADATA}:
        raise refused("its header names no tensor.")
    if len(found) > MAX_TENSORS:
        raise refused(f"it holds {len(found):,} tensors; at most {MAX_TENSORS:,} are read.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{shown(twice)} is there twice")
    return found


def _entries(header: dict[str, Any]) -> Iterator[_Entry]:
    for name, told in header.items():
        if name == _METADATA:
            continue
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            raise refused(f"the name {shown(name)} is none: up to {_LONGEST_NAME} letters that can be printed.")
        if not isinstance(told, dict) or told.keys() != {"dtype", "shape", "data_offsets"}:
            raise refused(f"the tensor {shown(name)} is not told by dtype, shape and data_offsets, and these alone.")
        yield _entry(name, **told)


def _entry(name: str, *, dtype: Any, shape: Any, data_offsets: Any) -> _Entry:
    if not isinstance(dtype, str) or dtype not in SIZES:
        raise refused(f"the tensor {shown(name)} is of type {shown(str(dtype))}; {', '.join(SIZES)} are read.")
    if not _are_sizes(shape) or len(shape) > _MOST_AXES:
        raise refused(f"the tensor {shown(name)} has no shape: up to {_MOST_AXES} numbers from 0 on.")
    if not _are_sizes(data_offsets) or len(data_offsets) != 2:
        raise refused(f"the tensor {shown(name)} has no place: data_offsets are two numbers from 0 on.")
    begin, end = data_offsets
    if end - begin != (due := math.prod(shape) * SIZES[dtype]):
        told = f"the tensor {shown(name)} lies in {end - begin:,} bytes, and takes {due:,} as {dtype} {shape}."
        raise refused(told)
    return _Entry(begin, end, Tensor(name, dtype, tuple(shape)))


def _are_sizes(value: Any) -> bool:
    """Whether it is a list of whole numbers from 0 on, none of them huge; true and false are none."""
    return isinstance(value, list) and all(type(one) is int and 0 <= one < _LARGEST for one in value)


def _judge_places(entries: list[_Entry], held: int) -> None:
    """Each tensor begins where the one before it ends, and the last ends where the file does."""
    reached = 0
    for one in entries:
        if one.begin != reached:
            what = "overlaps the one before it" if one.begin < reached else "leaves a hole before it"
            told = f"it begins at {one.begin:,}, not at {reached:,}"
            raise refused(f"the tensor {shown(one.tensor.name)} {what}: {told}.")
        reached = one.end
    if reached != held:
        raise refused(f"its tensors take {reached:,} bytes by the header, and behind it there are {held:,}.")
