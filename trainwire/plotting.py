"""Losses as curves under a bar: in braille, where the terminal is tall and wide enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from core.sentences import number
from core.strokes import Scale, chart, letter

COLOURS = {"train_loss": "cyan", "val_loss": "magenta"}
_AXIS = 10
"""Columns for the numbers at the axis."""
_LEAST_WIDTH, _LEAST_HEIGHT = 34, 14
_BESIDE = 8
"""Lines of a terminal that are left to the bar and to what is said."""
_MOST_HEIGHT = 12


class Losses:
    """The losses of the epochs so far, as a renderable that fits itself into the terminal."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._seen = 0
        self._curves: dict[str, list[float | None]] = {name: [] for name in COLOURS}

    def add(self, row: Mapping[str, Any]) -> None:
        """An epoch ended."""
        self._seen = max(self._seen, row["epoch"])
        for name, curve in self._curves.items():
            curve.extend([None] * (row["epoch"] - len(curve)))
            curve[row["epoch"] - 1] = row.get(name)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The curves, or nothing before the second epoch and where there is no room."""
        width = min(options.max_width, 120) - _AXIS - 1
        height = min(_MOST_HEIGHT, console.height - _BESIDE)
        if self._seen > 1 and width >= _LEAST_WIDTH - _AXIS and console.height >= _LEAST_HEIGHT:
            yield from self._lines(width, height)

    def _lines(self, width: int, height: int) -> RenderResult:
        shown = {name: curve for name, curve in self._curves.items() if any(value is not None for value in curve)}
        finite = [value for curve in shown.values() for value in curve if value is not None and math.isfinite(value)]
        scale = Scale.of(finite)
        length = min(self._epochs, max(16, 2 ** math.ceil(math.log2(self._seen))))
        padded = {name: curve + [None] * (length - len(curve)) for name, curve in shown.items()}
        layers = {name: chart(curve, scale, width=width, height=height) for name, curve in padded.items()}
        for place in range(height):
            label = {0: number(scale.high), height - 1: number(scale.low)}.get(place, "")
            yield Text(f"{label:>{_AXIS - 1}} ", style="dim") + _row([layers[name][place] for name in layers], layers)
        yield _legend(layers, length, width, is_log=scale.is_log)


def _row(bits: list[list[int]], names: Mapping[str, object]) -> Text:
    """One line of the chart: where curves meet the last one gives the colour."""
    line = Text()
    for letters in zip(*bits, strict=True):
        colour = next((COLOURS[name] for name, dots in reversed([*zip(names, letters, strict=True)]) if dots), "")
        line.append(letter(_all(letters)), style=colour)
    return line


def _all(bits: tuple[int, ...]) -> int:
    together = 0
    for dots in bits:
        together |= dots
    return together


def _legend(names: Mapping[str, object], length: int, width: int, *, is_log: bool) -> Text:
    """What the colours mean, and to which epoch the chart goes."""
    line = Text(" " * _AXIS)
    for name in names:
        line.append(f"{name} ", style=COLOURS[name])
    if is_log:
        line.append("(log)", style="dim")
    end = f"epoch {length}"
    line.append(end.rjust(width + _AXIS - len(line.plain)) if width + _AXIS - len(line.plain) > len(end) else "")
    return line
