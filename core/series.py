"""How ordered rows become windows: which train, validate and test, and how many there are; by arithmetic alone."""

from __future__ import annotations

from core import groups
from core.split import Sizes, sizes


def windows(rows: int, *, window: int, horizon: int) -> int:
    """How many windows so many rows give, each with the `horizon` rows behind it that are to be forecast.

    >>> windows(100, window=24, horizon=3)
    74
    """
    return max(0, rows - window - horizon + 1)


def spans(rows: int, *, window: int, horizon: int, validation: float, test: float) -> dict[str, range]:
    """Where the windows of each part begin in a series: the first train, those behind them validate, the last test.

    Nothing is forecast twice across two parts: windows whose targets reach into the next part are left out.

    >>> spans(100, window=24, horizon=3, validation=0.2, test=0.1)
    {'train': range(0, 49), 'validation': range(51, 64), 'test': range(66, 74)}
    """
    count = windows(rows, window=window, horizon=horizon)
    train, held, tested = sizes(count, validation, test=test)
    gap = horizon - 1
    until = {
        "train": train - (gap if held or tested else 0),
        "validation": train + held - (gap if tested else 0),
        "test": count,
    }
    since = {"train": 0, "validation": train, "test": train + held}
    return {part: range(start, max(start, until[part])) for part, start in since.items()}


def samples(lengths: str, *, window: int, horizon: int) -> int:
    """How many windows series of these lengths (`core.groups`) give together."""
    return sum(count * windows(rows, window=window, horizon=horizon) for rows, count in groups.read(lengths).items())


def series_sizes(lengths: str, *, window: int, horizon: int, validation: float, test: float) -> Sizes:
    """How many windows train, validate and test, when each series is split by itself."""
    total = [0, 0, 0]
    for rows, count in groups.read(lengths).items():
        found = spans(rows, window=window, horizon=horizon, validation=validation, test=test)
        total = [so_far + count * len(found[part]) for so_far, part in zip(total, Sizes._fields, strict=True)]
    return Sizes(*total)
