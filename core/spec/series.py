"""A series asked of a table: the columns that order and part its rows, and what of the spec does not go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core import groups
from core.checks import Finding, shown
from core.dataset import Column, Profile, Series
from core.series import samples
from core.spec import tables
from core.spec.outline import Outline
from core.spec.splitting import groups_of
from core.spec.targets import named, unknown

Wanted = Mapping[str, Any]
Columns = Mapping[str, Column]

_WHY = {
    "target_separator": "labels have no course in time",
    "validation": "a series validates on its own last windows, by split.validation",
    "test": "a series is tested on its own last windows, by split.test",
}
"""Settings that a series does without."""


def as_numbers(wanted: Wanted) -> dict[str, Any]:
    """The settings as a table is judged by that is to be forecast: its target is numbers, whatever these look like."""
    return {**wanted, "task": "numbers", "drop_missing_target": True}


def findings(wanted: Wanted, profile: Profile, *, reserved: str | None) -> Iterator[Finding]:
    """All that is wrong with the table and the series that were asked for; `reserved` is the split's column."""
    of_table = tables.findings(as_numbers(wanted), profile, reserved=reserved)
    yield from (one for one in of_table if one.path != ("task",))
    columns, series = {column.name: column for column in profile.columns}, wanted["series"]
    yield from _wrong_settings(wanted, columns)
    yield from _wrong_target(wanted, columns, rows=profile.rows)
    found = [*_wrong_time(series, columns, wanted), *_wrong_group(series, profile, wanted)]
    yield from found
    if not found and (lengths := _lengths(series, profile)):
        shortest = min(groups.read(lengths))
        if shortest < series.window + series.horizon:
            which = f"The shortest series has {shortest:,} rows" if series.group else f"The table has {shortest:,} rows"
            told = f"{which}, too few for a window of {series.window:,} and {series.horizon:,} rows behind it."
            most = shortest - series.horizon
            yield Finding(("series", "window"), series.window, told, {"maximum": most} if most > 0 else None)


def facts(wanted: Wanted, profile: Profile, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a job rests on beside what is `told` of the table: the target's own past is the last of the features."""
    series: Series = wanted["series"]
    lengths = _lengths(series, profile) or ""
    return {
        "columns": {**told["columns"], named(wanted)[0]: told["target"]},
        "features": (told["features"][0] + 1, series.window),
        "outputs": series.horizon,
        "samples": samples(lengths, window=series.window, horizon=series.horizon),
        "series": lengths,
    }


def series_is_split_in_time(outline: Outline) -> Iterator[Finding]:
    """A series is split in its own order, each part is long enough for a window, and none is stratified or folded."""
    facts, split = outline.facts, outline["split"]
    if facts is None or facts.series is None:
        return
    for setting in ("time", "column", "group", "folds"):
        if (value := getattr(split, setting)) is not None:
            told = f"A series is split in its own order, its last windows held back; leave {shown(setting)} out."
            yield Finding(("split", setting), value, told, [None])
    sizes, horizon = outline.drawn_sizes, outline["dataset"].series.horizon
    for part in ("validation", "test"):
        share = getattr(split, part)
        if share and not getattr(sizes, part):
            told = (
                f"{shown(share)} leaves no window to the {part} part: of each series the {horizon - 1} windows before "
                "the next part are left out, because what they forecast reaches into it."
            )
            yield Finding(("split", part), share, told, "a larger share, or 0")


def _wrong_settings(wanted: Wanted, columns: Columns) -> Iterator[Finding]:
    for setting, why in _WHY.items():
        if wanted[setting] is not None:
            yield Finding((setting,), wanted[setting], f"{shown(setting)} does not go with series: {why}.", [None])
    for place, name in enumerate(wanted["features"] or ()):
        if name in columns and columns[name].kind == "text":
            told = f"{shown(name)} holds free text, which has no course in time."
            yield Finding(("features", place), name, told, {"kind": ["number", "boolean", "date", "category"]})


def _wrong_target(wanted: Wanted, columns: Columns, *, rows: int) -> Iterator[Finding]:
    if wanted["task"] not in ("auto", "numbers"):
        yield Finding(("task",), wanted["task"], "A series forecasts numbers.", ["auto", "numbers"])
    goals = [columns[name] for name in named(wanted) if name in columns]
    if len(goals) > 1:
        told = "A series forecasts one column. Name the others as features: their past is then looked at."
        yield Finding(("target",), wanted["target"], told, [one.name for one in goals])
    elif goals and goals[0].kind in ("boolean", "category"):
        told = f"{shown(goals[0].name)} holds {goals[0].kind} values; a series forecasts numbers."
        numbers = [one.name for one in columns.values() if one.kind == "number"]
        yield Finding(("target",), goals[0].name, told, numbers)
    elif goals and goals[0].missing:
        told = (
            f"{goals[0].missing:,} of {rows:,} rows have no {shown(goals[0].name)}. A series has no holes: fill it in."
        )
        yield Finding(("target",), goals[0].name, told, {"missing": 0})


def _wrong_time(series: Series, columns: Columns, wanted: Wanted) -> Iterator[Finding]:
    path, column = ("series", "time"), columns.get(series.time)
    if column is None:
        yield unknown(path, series.time, columns)
    elif column.kind not in ("date", "number"):
        told = f"{shown(column.name)} holds {column.kind} values; rows are put in order by dates or numbers."
        yield Finding(path, column.name, told, [one.name for one in columns.values() if one.kind in ("date", "number")])
    elif column.name in named(wanted):
        yield Finding(path, column.name, f"{shown(column.name)} is the target.", {"not": column.name})
    elif column.missing:
        told = f"{column.missing:,} rows have no {shown(column.name)}, so nothing says when they were."
        yield Finding(path, column.name, told, {"missing": 0})


def _wrong_group(series: Series, profile: Profile, wanted: Wanted) -> Iterator[Finding]:
    path, columns = ("series", "group"), {column.name: column for column in profile.columns}
    if series.group is None:
        return
    column = columns.get(series.group)
    if column is None:
        yield unknown(path, series.group, columns)
    elif column.name in (*named(wanted), series.time):
        what = "the time" if column.name == series.time else "the target"
        yield Finding(path, column.name, f"{shown(column.name)} is {what}.", {"not": column.name})
    elif column.missing:
        told = f"{column.missing:,} rows have no {shown(column.name)}, so nothing says which series they are of."
        yield Finding(path, column.name, told, {"missing": 0})
    elif groups_of(column.name, profile) is None:
        told = f"{shown(column.name)} has about {column.distinct:,} values, too many to count how often each occurs."
        yield Finding(path, column.name, told, [None])


def _lengths(series: Series, profile: Profile) -> str | None:
    """How long the series are; None where that is not known."""
    return groups.told({profile.rows: 1}) if series.group is None else groups_of(series.group, profile)
