"""Curves in letters: bars of eighths, sparklines, and charts in braille, for terminals and plain text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_GAP = "!"
"""A number that is not finite."""
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of a braille letter: two columns of four dots."""
_BRAILLE = 0x2800
_FEW = 4
_DECADES = 100.0
"""From such a ratio on a chart is logarithmic."""


def bar(share: float, width: int) -> str:
    """A bar of `share` (0 to 1) of `width` letters, to an eighth of one, without what is empty."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def spark(values: Sequence[float | None], width: int) -> str:
    """The values in at most `width` letters, the last of each stretch, from their least to their greatest."""
    known = [value for value in values if value is not None]
    shown = [known[-1 - place * len(known) // width] for place in range(width)][::-1] if len(known) > width else known
    finite = [value for value in shown if math.isfinite(value)]
    scale = Scale.of(finite)
    return "".join(
        _LEVELS[round(scale.share(value) * (len(_LEVELS) - 1))] if math.isfinite(value) else _GAP for value in shown
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """From which number to which an axis goes, and whether in equal ratios."""

    low: float
    high: float
    is_log: bool = False

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """An axis for finite numbers; in equal ratios where they are positive and far apart."""
        low, high = min(values, default=0.0), max(values, default=0.0)
        return cls(low, high, is_log=low > 0 and high / low >= _DECADES)

    def share(self, value: float) -> float:
        """Where a number lies, from 0 to 1; in the middle where all are the same."""
        if self.high <= self.low:
            return 0.5
        if self.is_log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def chart(curve: Sequence[float | None], scale: Scale, *, width: int, height: int) -> list[list[int]]:
    """A curve over equal steps as rows of braille bits, the upper row first; each letter is 2 by 4 dots.

    A value is `None` where there is none yet; at that and at one that is not finite the line breaks.
    """
    rows = [[0] * width for _ in range(height)]
    before: tuple[int, int] | None = None
    for across, value in _points(curve, 2 * width):
        here = None if value is None else (across, round((1 - scale.share(value)) * (4 * height - 1)))
        for x, y in _line(before, here) if here is not None else ():
            rows[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        before = here
    return rows


def _points(curve: Sequence[float | None], columns: int) -> Iterator[tuple[int, float | None]]:
    """The curve's numbers with their columns: of many in one column its first, least, greatest and last."""
    last = max(1, len(curve) - 1)
    for column, places in itertools.groupby(range(len(curve)), key=lambda place: round(place / last * (columns - 1))):
        values = [value for place in places if (value := curve[place]) is not None and math.isfinite(value)]
        if not values:
            yield column, None
        for value in values if len(values) <= _FEW else (values[0], min(values), max(values), values[-1]):
            yield column, value


def _line(start: tuple[int, int] | None, end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots from one to another, both included."""
    start = start or end
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (round(start[0] + (end[0] - start[0]) * step / steps), round(start[1] + (end[1] - start[1]) * step / steps))
        for step in range(steps + 1)
    ]


def letter(bits: int) -> str:
    """The braille letter of some dots."""
    return chr(_BRAILLE + bits) if bits else " "
