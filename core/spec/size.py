"""A guard in front of the spec: what is far larger than any spec is refused before it is looked at closely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from core.checks import Finding

MAX_VALUES = 1_500
"""Values in a whole spec, counted through lists and objects. A body of a megabyte can hold 500,000, each a problem of
its own to tell (1,500 of them take some 30 ms); the largest good field, a schedule's milestones, has 1,000."""

ROOMS = {"model": 4_000}
"""The fields with a limit of their own: 200 layers, each with every setting filled in."""


def oversized(data: Mapping[Any, Any]) -> Iterator[Finding]:
    """The fields that hold too many values each; or the whole, when it does only all together."""
    if len(data) > MAX_VALUES:
        yield Finding((), None, f"This has {len(data):,} fields; a spec has some 20.", {"maxProperties": MAX_VALUES})
        return
    counts = {str(field): _count(value, ROOMS.get(str(field), MAX_VALUES)) for field, value in data.items()}
    large = [field for field, count in counts.items() if count > ROOMS.get(field, MAX_VALUES)]
    for field in large:
        most = ROOMS.get(field, MAX_VALUES)
        told = f"This field holds more than {most:,} values, more than any setting takes."
        yield Finding((field,), None, told, {"values": most})
    if not large and (whole := sum(count for field, count in counts.items() if field not in ROOMS)) > MAX_VALUES:
        told = f"This holds {whole:,} values; a spec has some 70, and at most {MAX_VALUES:,}."
        yield Finding((), None, told, {"values": MAX_VALUES})


def without_facts(data: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The spec without what the service itself wrote down of its data: each column and label of that has a value."""
    dataset = data.get("dataset")
    if not isinstance(dataset, Mapping) or "facts" not in dataset:
        return data
    return {**data, "dataset": {key: value for key, value in dataset.items() if key != "facts"}}


def _count(value: Any, most: int) -> int:
    """The values in `value`, itself included; counting ends soon after `most`."""
    seen, left = 0, [value]
    while left and seen <= most:
        one = left.pop()
        seen += 1
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
        left.extend(islice(inner, most))
    return seen
