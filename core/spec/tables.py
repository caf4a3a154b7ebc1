"""A table's target and features, judged by its columns: what can be predicted, and from what."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from core.checks import Finding, shown
from core.dataset import Column, Profile
from core.encoding import Reading
from core.spec import targets
from core.spec.targets import Wanted
from core.spec.texts import text_alone


def findings(wanted: Wanted, profile: Profile, *, reserved: str | None, itself: bool = False) -> Iterator[Finding]:
    """All that is wrong with the columns that were asked for; `reserved` is the split's.

    With `itself` the features are the target too, and no other is looked for.
    """
    columns = {column.name: column for column in profile.columns}
    if not itself:
        yield from targets.findings(wanted, columns, rows=profile.rows)
    yield from _wrong_features(wanted, columns, reserved=reserved)
    for place, name in enumerate(wanted["exclude"]):
        if name not in columns:
            yield targets.unknown(("exclude", place), name, columns)
    goals = targets.named(wanted)
    alone = wanted["series"] is None  # a series learns from its target's own past at least
    if alone and (goals or itself) and columns.keys() >= set(goals) and not _features(wanted, columns, reserved):
        told = "No column is left to learn from: constant and excluded ones are none, and text only one by itself."
        yield Finding(("features",), wanted["features"], told, list(columns))


def facts(wanted: Wanted, profile: Profile, *, reserved: str | None, itself: bool = False) -> dict[str, Any]:
    """What a job rests on in the table, when there are no findings."""
    columns = {column.name: column for column in profile.columns}
    readings = {name: Reading.of(columns[name]) for name in _features(wanted, columns, reserved)}
    return {
        "features": (sum(reading.slots for reading in readings.values()),),
        "columns": {name: str(reading) for name, reading in readings.items()},
        **({"samples": profile.rows} if itself else targets.facts(wanted, columns, rows=profile.rows)),
    }


def others(features: Container[str], profile: Profile, names: Container[str | None]) -> dict[str, str]:
    """The columns of these names that are no features, as far as the table has them."""
    return {
        column.name: str(Reading.of(column))
        for column in profile.columns
        if column.name in names and column.name not in features
    }


def of_series(wanted: Wanted) -> tuple[str | None, ...]:
    """The columns that order rows and tell series apart: no features unless they are named as such."""
    series = wanted["series"]
    return () if series is None else (series.time, series.group)


def _wrong_features(wanted: Wanted, columns: Mapping[str, Column], *, reserved: str | None) -> Iterator[Finding]:
    seen = set[str]()
    for place, name in enumerate(wanted["features"] or ()):
        path = ("features", place)
        if name not in columns:
            yield targets.unknown(path, name, columns)
        elif columns[name].kind == "text" and len(wanted["features"]) == 1 and columns[name].odd is None:
            continue
        elif told := _unreadable(columns[name]):
            yield Finding(path, name, told, [one.name for one in columns.values() if not _unreadable(one)])
        elif name in seen:
            yield Finding(path, name, f"{shown(name)} is named twice.", "each column once")
        elif name == reserved:
            told = f"{shown(name)} decides which part of the split a row is in, so it cannot be a feature."
            yield Finding(path, name, told, {"not": name})
        seen.add(name)


def _unreadable(column: Column) -> str | None:
    """Why a column cannot be a feature, if that is so."""
    name = shown(column.name)
    if column.kind == "text" and column.odd is not None:
        return f"{name} is numbers but for a few words.{targets.odd_cells(column)} Mend or empty these cells."
    if column.kind == "text":
        return f"{name} holds free text, which is learned from only by itself: name no other feature."
    if not column.distinct:
        return f"{name} is empty in every row."
    return targets.infinite(column)


def _features(wanted: Wanted, columns: Mapping[str, Column], reserved: str | None) -> list[str]:
    """The columns to learn from, in the file's order, so that the order in the spec changes no figure."""
    if wanted["features"] is not None:
        return [name for name in columns if name in wanted["features"]]
    kept = {*targets.named(wanted), reserved, *wanted["exclude"], *of_series(wanted)}
    if wanted["series"] is None and (text := text_alone(columns, kept)) is not None:
        return [text]
    return [name for name, column in columns.items() if name not in kept and _tells(column)]


def _tells(column: Column) -> bool:
    """Whether a column says something of its rows: one value and empty cells are two values."""
    return not _unreadable(column) and column.distinct + (column.missing > 0) > 1
