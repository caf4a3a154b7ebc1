"""A split by a column of an uploaded table, judged by what was found in that column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from core.checks import Finding, nearest, shown
from core.dataset import Column, Dataset, Profile
from core.spec.outline import Outline, Unsound
from core.split import WORDS, part_named

MOST_TOLD = 5
"""Words of a split column that a refusal repeats."""

Check = Callable[[Column], Iterator[tuple[str, object]]]


def part_counts(name: str | None, profile: Profile) -> dict[str, int]:
    """How many rows the column of this name gives to each part; empty where it does not say it for every row."""
    column = _column(name, profile)
    if column is None or next(_names_no_parts(column), None):
        return {}
    found = dict.fromkeys(WORDS, 0)
    for word, count in (column.counts or {}).items():
        found[part_named(word) or ""] += count
    return found


def column_findings(outline: Outline, find: Callable[[str], Dataset | None]) -> list[Finding]:
    """What is wrong with the columns that the split is made by, as far as the dataset is an uploaded table."""
    found: list[Finding] = []
    with suppress(Unsound):
        dataset = find(outline["dataset"].id) if outline.facts else None
        if dataset is not None and dataset.profile.form == "table":
            for way, check in _CHECKS.items():
                if (name := getattr(outline["split"], way)) is not None:
                    found += _judged(outline, dataset.profile, way=way, name=name, check=check)
    return found


def _judged(outline: Outline, profile: Profile, *, way: str, name: str, check: Check) -> Iterator[Finding]:
    path, names = ("split", way), [column.name for column in profile.columns]
    column = _column(name, profile)
    if column is None:
        yield Finding(path, name, f"The table has no column {shown(name)}.{nearest(name, names)}", names)
        return
    if name == outline["dataset"].target:
        told = f"{shown(name)} is the target: what is to be predicted cannot say which rows are held back."
        yield Finding(path, name, told, [other for other in names if other != name])
        return
    if column.missing:
        told = f"{column.missing:,} of {profile.rows:,} rows have no {shown(name)}, so nothing says where they belong."
        yield Finding(path, name, told, {"missing": 0})
    for told, allowed in check(column):
        yield Finding(path, name, told, allowed)
    if way == "column" and outline["dataset"].drop_missing_target:
        yield from _dropped(outline, profile, path=path, name=name)


def _has_no_order(column: Column) -> Iterator[tuple[str, object]]:
    if column.kind not in ("date", "number"):
        yield (
            f"{shown(column.name)} holds {column.kind} values; a split in time goes by dates or numbers.",
            {"kind": ["date", "number"]},
        )
    elif column.distinct < 2:
        yield f"{shown(column.name)} is the same in every row, so none is later than another.", {"distinct": ">= 2"}


def _names_no_parts(column: Column) -> Iterator[tuple[str, object]]:
    allowed = {part: list(words) for part, words in WORDS.items()}
    if column.kind != "category" or column.counts is None:
        yield f"{shown(column.name)} does not say train, validation or test in its rows.", allowed
        return
    odd = [word for word in column.counts if part_named(word) is None]
    if odd:
        more = f" and {len(odd) - MOST_TOLD} more" if len(odd) > MOST_TOLD else ""
        words = ", ".join(map(shown, odd[:MOST_TOLD]))
        yield f"{shown(column.name)} holds words that name no part of a split: {words}{more}.", allowed


def _dropped(outline: Outline, profile: Profile, *, path: tuple[str, ...], name: str) -> Iterator[Finding]:
    """Of which parts the rows without a target are, was not counted."""
    target = _column(outline["dataset"].target, profile)
    if target is not None and target.missing:
        told = (
            f"drop_missing_target leaves out {target.missing:,} rows, and how many of these {shown(name)} gives to "
            "each part is not known. Fill their target in, or leave them out of the file."
        )
        yield Finding(path, name, told, {"drop_missing_target": False})


def _column(name: str | None, profile: Profile) -> Column | None:
    return next((column for column in profile.columns if column.name == name), None)


_CHECKS: Mapping[str, Check] = {"time": _has_no_order, "column": _names_no_parts}
