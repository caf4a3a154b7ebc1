"""A guard in front of the spec: what is far larger than any spec is refused before it is looked at closely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from core.checks import Finding

MAX_VALUES = 5_000
"""Values in one field, counted through lists and objects. A body of a megabyte can hold 500,000, each a problem of its
own to tell; the largest good field has some 1,000."""


def oversized(data: Mapping[Any, Any]) -> Iterator[Finding]:
    """The fields that hold too many values, or the whole when it has too many fields."""
    if len(data) > MAX_VALUES:
        yield Finding((), None, f"This has {len(data):,} fields; a spec has some 20.", {"maxProperties": MAX_VALUES})
        return
    for field, value in data.items():
        if _is_large(value):
            told = f"This field holds more than {MAX_VALUES:,} values, more than any setting takes."
            yield Finding((str(field),), None, told, {"values": MAX_VALUES})


def _is_large(value: Any) -> bool:
    seen, left = 0, [value]
    while left and seen <= MAX_VALUES:
        one = left.pop()
        seen += 1
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
        left.extend(islice(inner, MAX_VALUES))
    return seen > MAX_VALUES
