"""How a plain text becomes samples: parts in the text's own order, each cut into windows; by arithmetic alone."""

from __future__ import annotations

from itertools import accumulate

from core.split import Sizes, sizes


def windows(size: int, block_size: int) -> int:
    """How many windows a part of `size` bytes gives: as many as cover it when each byte is a token.

    Longer tokens are fewer, so the same number of windows then overlaps: an epoch visits as many tokens as the part has
    bytes, whatever the tokenizer learned.

    >>> windows(1000, 100)
    10
    """
    return max(1, -(-(size - 1) // block_size)) if size else 0


def stretches(size: int, validation: float, *, test: float) -> dict[str, range]:
    """The bytes of each part of a text: its beginning trains, what is behind that validates, and its end tests.

    >>> stretches(100, 0.2, test=0.1)
    {'train': range(0, 70), 'validation': range(70, 90), 'test': range(90, 100)}
    """
    parts = sizes(size, validation, test=test)
    ends = accumulate(parts)
    return {name: range(end - part, end) for name, part, end in zip(Sizes._fields, parts, ends, strict=True)}


def window_sizes(size: int, validation: float, *, test: float, block_size: int) -> Sizes:
    """How many windows train, validate and test."""
    parts = stretches(size, validation, test=test)
    return Sizes(**{name: windows(len(part), block_size) for name, part in parts.items()})
