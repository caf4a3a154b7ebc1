"""What encoding and scaling rest on, gathered from data that does not fit into memory: column by column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from core.encoding import Reading
from core.errors import InvalidData
from core.loading import preprocess
from core.loading.codes import Code, fitted
from core.loading.encoding import Encoder, Rows, cells_at
from core.loading.preprocess import Kind, Scaling
from core.loading.table import Cells, Words

Block = NDArray[np.float64]
Sides = tuple[Block, Block, Block, Block]
"""Of each column: the lowest, the highest, the mean and the deviation of what it holds in training."""

_ROWS = 65_536
"""Encoded at a time."""


def survey_table(
    columns: Mapping[str, Cells], readings: Mapping[str, Reading], rows: Rows, *, kind: Kind
) -> tuple[Encoder, Scaling]:
    """The encoder of the columns and the scaling of what it gives, by these rows alone.

    One column is in memory at a time. Both are bit for bit those that are fitted when everything is. Raises InvalidData
    for infinite numbers.
    """
    codes, sides = list[Code](), list[Sides]()
    width = sum(reading.slots for reading in readings.values())
    for name, reading in readings.items():
        cells = columns[name]
        if not isinstance(cells, Words) and np.isinf(cells).any():
            raise InvalidData(f"The column {name!r} holds infinite numbers; there is no learning from these.")
        cells = cells_at(cells, rows)
        codes.append(fitted(name, reading, cells))
        if kind != "none":
            sides.append(_sides(codes[-1], cells, len(rows), alone=width == 1))
    encoder = Encoder(tuple(codes))
    if kind == "none":
        return encoder, preprocess.unscaled()
    low, high, mean, deviation = (np.concatenate(side) for side in zip(*sides, strict=True))
    ends = low, high
    return encoder, _scaling(kind, ends, mean, deviation, only=encoder.scaled, coded=encoder.coded)


def survey_pictures(decoded: Iterator[NDArray[np.float32]], *, kind: Kind, whole: bool) -> Scaling:
    """The scaling of pictures `(pictures, channels, height, width)` that come some at a time.

    Sums are taken over pictures first, so `standard` differs in its last bits from what `preprocess.fit` gives.
    """
    total = _Sums()
    for pictures in decoded:
        total.add(pictures.astype(np.float64))
    return total.scaling(kind, whole=whole)


class _Sums:
    """Count, ends, sum and sum of squares of each pixel."""

    def __init__(self) -> None:
        self.count = 0
        self.low = self.high = self.sum = self.squares = np.zeros(0)

    def add(self, numbers: NDArray[np.float64]) -> None:
        low, high = numbers.min(0), numbers.max(0)
        found = numbers.sum(0), (numbers**2).sum(0)
        first = not self.count
        self.count += len(numbers)
        self.low, self.high = (low, high) if first else (np.minimum(self.low, low), np.maximum(self.high, high))
        self.sum, self.squares = found if first else (self.sum + found[0], self.squares + found[1])

    def scaling(self, kind: Kind, *, whole: bool) -> Scaling:
        """One pair for all pixels, for each channel or for each pixel."""
        shape = (len(self.low), -1) if kind == "per_channel" else (1, -1) if whole else (self.low.size, 1)
        low, high = self.low.reshape(shape).min(1), self.high.reshape(shape).max(1)
        count = self.count * self.low.size // len(low)
        mean, squares = (side.reshape(shape).sum(1) / count for side in (self.sum, self.squares))
        return _scaling(kind, (low, high), mean, np.sqrt(np.maximum(squares - mean**2, 0.0)))


def _scaling(  # noqa: PLR0913  (four sides, and what is not scaled by them)
    kind: Kind,
    ends: tuple[Block, Block],
    mean: Block,
    deviation: Block,
    *,
    only: NDArray[np.bool_] | None = None,
    coded: int = 0,
) -> Scaling:
    low, high = ends
    shift, width = (low, high - low) if kind == "minmax" else (mean, deviation)
    return preprocess.scaling(kind, shift, width, moves=(high > low) & (width > 0), only=only, coded=coded)


def _sides(code: Code, cells: Cells, rows: int, *, alone: bool) -> Sides:
    low, high, means, deviations = _ends(code, cells, rows)
    for slot in range(code.scaled):
        if alone:
            column = np.concatenate([block[:, slot] for block in _blocks(code, cells, rows)])
            means[slot], deviations[slot] = column.mean(), column.std()
        else:
            means[slot] = mean = _sum(block[:, slot] for block in _blocks(code, cells, rows)) / rows
            squares = ((block[:, slot] - mean) ** 2 for block in _blocks(code, cells, rows))
            deviations[slot] = math.sqrt(_sum(squares) / rows)
    return low, high, means, deviations


def _ends(code: Code, cells: Cells, rows: int) -> Sides:
    """The ends of each slot, and a mean and a deviation of what has no unit, which count only as not being 0."""
    ends = [(block.min(0), block.max(0)) for block in _blocks(code, cells, rows)]
    low, high = np.minimum.reduce([low for low, _ in ends]), np.maximum.reduce([high for _, high in ends])
    return low, high, low.copy(), high - low


def _blocks(code: Code, cells: Cells, rows: int) -> Iterator[Block]:
    for start in range(0, rows, _ROWS):
        places = np.arange(start, min(rows, start + _ROWS))
        block = np.zeros((len(places), len(code.slots)))
        code.write(cells_at(cells, places), block)
        yield block


def _sum(pieces: Iterable[Block]) -> float:
    """From top to bottom, as numpy adds up each of several columns; a single one it adds up in pairs."""
    total = None
    for piece in pieces:
        total = np.cumsum(piece if total is None else np.concatenate([[total], piece]))[-1]
    return float(0.0 if total is None else total)
