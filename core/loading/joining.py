"""Files that validate and test, read behind the one that trains: one source, whose first rows are the split's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.data import Arrays
from core.dataset import Held
from core.errors import InvalidData
from core.loading import split
from core.loading.source import Source
from core.loading.table import Cells, Table, Words
from core.spec import JobSpec

_MOST_TOLD = 5
Whole = TypeVar("Whole", Arrays, Table)


def parts(spec: JobSpec, source: Source) -> split.Parts:
    """The parts that `spec` asks for: those drawn from the first rows, and behind these what has a file of its own.

    Raises InvalidData as `split.parts` does.
    """
    own = sum(spec.drawn_sizes)
    by = source.by(spec.split.by) if isinstance(source, Table) else None
    drawn = split.parts(spec, source.y[:own], by=by)
    if own == len(source.y):
        return drawn
    start, held, tested = own, spec.drawn_sizes.validation, spec.drawn_sizes.test
    apart = np.arange(start, len(source.y))
    behind = spec.split_sizes.validation - held
    return split.Parts(
        drawn.train,
        np.concatenate([drawn.validation, apart[:behind]]),
        np.concatenate([drawn.test, apart[behind : behind + spec.split_sizes.test - tested]]),
    )


def numbered(spec: JobSpec, parts: split.Parts) -> dict[str, split.Rows]:
    """Which row each sample of a held back part is, counted from 1: of the dataset, or of the part's own file.

    Rows that were left out for want of a target do not count.
    """
    found = {"validation": parts.validation, "test": parts.test}
    own, behind = sum(spec.drawn_sizes), spec.split_sizes.validation - spec.drawn_sizes.validation
    begins = {"validation": own, "test": own + behind}
    return {part: rows + 1 - (begins[part] if len(rows) and rows[0] >= own else 0) for part, rows in found.items()}


def joined(whole: Source, apart: Mapping[Held, Source]) -> Source:
    """The rows of `whole`, then those of each file in `apart`, with the classes of `whole`.

    Columns that `whole` alone has, those of its split, keep its rows. Raises InvalidData for a class that does not
    train.
    """
    if not apart:
        return whole
    if isinstance(whole, Table):
        others = [_known(other, whole, part) for part, other in apart.items() if isinstance(other, Table)]
        columns = {name: _one([whole.columns[name], *_of(others, name)]) for name in whole.columns}
        return Table(columns, np.concatenate([whole.y, *(other.y for other in others)]), whole.class_names)
    if isinstance(whole, Arrays):
        more = [_known(other, whole, part) for part, other in apart.items() if isinstance(other, Arrays)]
        x, y = (np.concatenate([getattr(one, side) for one in (whole, *more)]) for side in ("x", "y"))
        return Arrays(x, y, whole.class_names, whole.feature_names)
    raise TypeError("what is streamed comes from one file")


def _known(other: Whole, whole: Whole, part: Held) -> Whole:
    """`other` with its classes numbered as in `whole`."""
    if not np.issubdtype(other.y.dtype, np.integer) or other.class_names is None:
        return other
    places = {name: place for place, name in enumerate(whole.class_names or ())}
    if odd := [name for name in other.class_names if name not in places]:
        more = f" and {len(odd) - _MOST_TOLD:,} more" if len(odd) > _MOST_TOLD else ""
        told = f"The file for {part} holds classes that do not train: {', '.join(map(repr, odd[:_MOST_TOLD]))}{more}."
        raise InvalidData(told, param=f"/dataset/{part}")
    y = np.array([places[name] for name in other.class_names], np.int64)[other.y]
    return _with_targets(other, y, whole.class_names)


def _with_targets(other: Whole, y: NDArray[Any], names: tuple[str, ...] | None) -> Whole:
    if isinstance(other, Table):
        return Table(other.columns, y, names)
    return Arrays(other.x, y, names, other.feature_names)


def _of(others: Sequence[Table], name: str) -> list[Cells]:
    return [other.columns[name] for other in others if name in other.columns]


def _one(cells: Sequence[Cells]) -> Cells:
    """The cells of one column in all files, one after another; of words each has one code in all."""
    if not isinstance(cells[0], Words):
        return np.concatenate([one for one in cells if not isinstance(one, Words)])
    told = [one for one in cells if isinstance(one, Words)]
    names = tuple(dict.fromkeys(name for one in told for name in one.names))
    places = {name: place for place, name in enumerate(names)}
    codes = [np.array([*(places[name] for name in one.names), -1], np.int32)[one.codes] for one in told]
    return Words(np.concatenate(codes), names)
