"""What encoding and scaling rest on, gathered from data that does not fit into memory: column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.encoding import Reading
from core.errors import InvalidData
from core.loop import preprocess
from core.loop.codes import Code, fitted
from core.loop.encoding import Encoder, Rows, cells_at
from core.loop.preprocess import Kind, Scaling
from core.loop.table import Cells, Words

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
    return encoder, _scaling(kind, (low, high), mean, deviation, only=encoder.scaled)


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


def _scaling(
    kind: Kind, ends: tuple[Block, Block], mean: Block, deviation: Block, *, only: NDArray[np.bool_] | None = None
) -> Scaling:
    low, high = ends
    shift, width = (low, high - low) if kind == "minmax" else (mean, deviation)
    return preprocess.scaling(kind, shift, width, moves=(high > low) & (width > 0), only=only)


def _sides(code: Code, cells: Cells, rows: int, *, alone: bool) -> Sides:
    def blocks() -> Iterator[Block]:
        for start in range(0, rows, _ROWS):
            places = np.arange(start, min(rows, start + _ROWS))
            # numpy adds up a single column in pairs and each of several from top to bottom, as here the spare one's
            block = np.zeros((len(places), max(2, len(code.slots))))
            code.write(cells_at(cells, places), block[:, : len(code.slots)])
            yield block

    if alone:
        whole = np.concatenate([block[:, :1] for block in blocks()])
        return whole.min(0), whole.max(0), whole.mean(0), whole.std(0)
    low = np.minimum.reduce([block.min(0) for block in blocks()])
    high = np.maximum.reduce([block.max(0) for block in blocks()])
    mean = _sum(blocks, lambda block: block) / rows
    deviation = np.sqrt(_sum(blocks, lambda block: (block - mean) ** 2) / rows)
    slots = len(code.slots)
    return low[:slots], high[:slots], mean[:slots], deviation[:slots]


def _sum(blocks: Callable[[], Iterator[Any]], of: Callable[[Block], Block]) -> Block:
    """From top to bottom, with no break between the blocks."""
    total = None
    for block in blocks():
        numbers = of(block)
        total = np.add.reduce(numbers if total is None else np.vstack([total, numbers]))
    return np.asarray(total)
