"""A table's target and features, judged by its columns: what can be predicted, and from what."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from typing import Any

from core.checks import Finding, nearest, shown
from core.dataset import Column, Profile
from core.encoding import Reading
from core.spec.classes import class_findings

Wanted = Mapping[str, Any]
"""The settings of an upload, as they were validated."""


def findings(wanted: Wanted, profile: Profile, *, reserved: str | None) -> Iterator[Finding]:
    """All that is wrong with the columns that were asked for; `reserved` is the split's."""
    columns = {column.name: column for column in profile.columns}
    yield from _wrong_target(wanted, columns, rows=profile.rows)
    yield from _wrong_features(wanted, columns, reserved=reserved)
    for place, name in enumerate(wanted["exclude"]):
        if name not in columns:
            yield _unknown(("exclude", place), name, columns)
    if wanted["target"] in columns and not _features(wanted, columns, reserved):
        told = "No column is left to learn from: text, constant and excluded columns are none."
        yield Finding(("features",), wanted["features"], told, list(columns))


def facts(wanted: Wanted, profile: Profile, *, reserved: str | None) -> dict[str, Any]:
    """What a job rests on in the table, when there are no findings."""
    columns = {column.name: column for column in profile.columns}
    target = columns[wanted["target"]]
    readings = {name: Reading.of(columns[name]) for name in _features(wanted, columns, reserved)}
    return {
        "samples": profile.rows - target.missing,
        "features": (sum(reading.slots for reading in readings.values()),),
        "classes": _classes(target, wanted["task"]),
        "columns": {name: str(reading) for name, reading in readings.items()},
        "target": str(Reading.of(target)),
    }


def others(features: Container[str], profile: Profile, names: Container[str]) -> dict[str, str]:
    """The columns of these names that are no features, as far as the table has them."""
    return {
        column.name: str(Reading.of(column))
        for column in profile.columns
        if column.name in names and column.name not in features
    }


def _wrong_target(wanted: Wanted, columns: Mapping[str, Column], *, rows: int) -> Iterator[Finding]:
    name = wanted["target"]
    if name is None:
        yield Finding(("target",), None, "A table needs a target: name the column to predict.", list(columns))
        return
    if (column := columns.get(name)) is None:
        yield _unknown(("target",), name, columns)
        return
    if told := _unpredictable(column):
        yield Finding(("target",), name, told, [one.name for one in columns.values() if not _unpredictable(one)])
        return
    if column.missing and not wanted["drop_missing_target"]:
        told = (
            f"{column.missing:,} of {rows:,} rows have no {shown(name)}. "
            "Fill them in, or leave these rows out with drop_missing_target: true."
        )
        yield Finding(("target",), name, told, {"drop_missing_target": True})
    yield from _wrong_task(wanted["task"], column)


def _unpredictable(column: Column) -> str | None:
    """Why nothing can learn to predict this column, if that is so."""
    name = shown(column.name)
    if not column.distinct:
        return f"{name} is empty in every row."
    if column.distinct == 1:
        return f"{name} is the same in every row, so there is nothing to learn."
    if column.kind in ("text", "date"):
        return f"{name} holds {'free text' if column.kind == 'text' else 'dates'}, which cannot be predicted."
    return _infinite(column)


def _wrong_task(task: str, column: Column) -> Iterator[Finding]:
    if task == "numbers" and column.kind != "number":
        told = f"{shown(column.name)} holds {column.kind} values, not numbers."
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif (classes := _classes(column, task)) is not None:
        yield from class_findings(classes, task=task, path=("target",), value=column.name)


def _classes(column: Column, task: str) -> int | None:
    """How many classes the target has, None for numbers; of numbers only 0 and 1 are classes unless `task` says so."""
    is_flag = column.distinct == 2 and (column.minimum, column.maximum) == (0, 1)
    is_number = column.kind == "number" and (task == "numbers" or (task == "auto" and not is_flag))
    return None if is_number else column.distinct


def _wrong_features(wanted: Wanted, columns: Mapping[str, Column], *, reserved: str | None) -> Iterator[Finding]:
    seen = set[str]()
    for place, name in enumerate(wanted["features"] or ()):
        path = ("features", place)
        if name not in columns:
            yield _unknown(path, name, columns)
        elif told := _unreadable(columns[name]):
            yield Finding(path, name, told, [one.name for one in columns.values() if not _unreadable(one)])
        elif name in seen:
            yield Finding(path, name, f"{shown(name)} is named twice.", "each column once")
        elif name == reserved:
            told = f"{shown(name)} says which part of the split a row is of, so it cannot be a feature."
            yield Finding(path, name, told, {"not": name})
        seen.add(name)


def _unreadable(column: Column) -> str | None:
    """Why a column cannot be a feature, if that is so."""
    if column.kind == "text":
        return f"{shown(column.name)} holds free text, which has no encoding as a feature."
    if not column.distinct:
        return f"{shown(column.name)} is empty in every row."
    return _infinite(column)


def _infinite(column: Column) -> str | None:
    ends = [end for end in (column.minimum, column.maximum) if isinstance(end, float)]
    return None if all(map(math.isfinite, ends)) else f"{shown(column.name)} holds infinite numbers."


def _features(wanted: Wanted, columns: Mapping[str, Column], reserved: str | None) -> list[str]:
    """The columns to learn from, in the file's order, so that the order in the spec changes no figure."""
    if wanted["features"] is not None:
        return [name for name in columns if name in wanted["features"]]
    kept = {wanted["target"], reserved, *wanted["exclude"]}
    return [name for name, column in columns.items() if name not in kept and _tells(column)]


def _tells(column: Column) -> bool:
    """Whether a column says something of its rows: one value and empty cells are two values."""
    return not _unreadable(column) and column.distinct + (column.missing > 0) > 1


def _unknown(path: tuple[str | int, ...], name: str, columns: Mapping[str, Column]) -> Finding:
    return Finding(path, name, f"The table has no column {shown(name)}.{nearest(name, columns)}", list(columns))
