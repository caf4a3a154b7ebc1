"""A split by a column of an uploaded table, judged by what was found in that column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress

from core import groups
from core.checks import Finding, nearest, shown
from core.dataset import Column, Profile
from core.spec.outline import Outline, Unsound
from core.spec.targets import named
from core.split import WORDS, part_named, quotas

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


def groups_of(name: str | None, profile: Profile) -> str | None:
    """How large the groups are that the column of this name makes (`core.groups`); None where that is not known."""
    column = _column(name, profile)
    if column is None or column.missing:
        return None
    if column.groups is None and column.counts is not None:  # looked into before groups were counted
        return groups.told(Counter(column.counts.values()))
    return column.groups


def column_findings(outline: Outline, profile: Profile | None, *, targets: Container[str]) -> list[Finding]:
    """What is wrong with the columns that the split is made by, as far as the dataset is an uploaded table.

    It is told whatever is wrong with the rest of the dataset's settings; `targets` are the columns to predict.
    """
    found: list[Finding] = []
    if profile is None or profile.form != "table":
        return found
    for way, check in _CHECKS.items():
        with suppress(Unsound):
            if (name := getattr(outline["split"], way)) is not None:
                told = list(_judged(profile, way=way, name=name, check=check, targets=targets))
                found += told or _dropped(outline, profile, way=way, name=name)
    with suppress(Unsound):
        found += _classes_in_folds(outline, profile)
    return found


def _judged(profile: Profile, *, way: str, name: str, check: Check, targets: Container[str]) -> Iterator[Finding]:
    path, names = ("split", way), [column.name for column in profile.columns]
    column = _column(name, profile)
    if column is None:
        yield Finding(path, name, f"The table has no column {shown(name)}.{nearest(name, names)}", names)
        return
    if name in targets:
        told = f"{shown(name)} is the target: what is to be predicted cannot say which rows are held back."
        yield Finding(path, name, told, [other for other in names if other != name])
        return
    if column.missing:
        told = f"{column.missing:,} of {profile.rows:,} rows have no {shown(name)}, so nothing says where they belong."
        yield Finding(path, name, told, {"missing": 0})
    for told, allowed in check(column):
        yield Finding(path, name, told, allowed)


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


def _has_no_groups(column: Column) -> Iterator[tuple[str, object]]:
    if column.distinct < 2:
        yield f"{shown(column.name)} is the same in every row: all rows are one group.", {"distinct": ">= 2"}
    elif column.groups is None and column.counts is None:
        why = "fractions, or too many to count" if column.kind == "number" else "too many to count"
        told = f"{shown(column.name)} has about {column.distinct:,} values, {why}, so its groups are of unknown size. "
        yield told + "Say in another column which part each row is in, and split by that column.", {"way": "column"}


def _classes_in_folds(outline: Outline, profile: Profile) -> Iterator[Finding]:
    """Every fold of a stratified cross-validation holds every class, behind the test part."""
    split, target = outline["split"], _column(next(iter(named(outline["dataset"].settings())), None), profile)
    if split.folds is None or not split.stratify or outline.data_shape.classes is None or target is None:
        return
    sizes, counts = outline.drawn_sizes, sorted((target.counts or {}).values())
    if sum(counts) != sum(sizes):
        return
    left = [count - taken for count, taken in zip(counts, quotas(counts, sizes.test), strict=True)]
    if min(left) < split.folds <= sum(left):
        told = (
            f"The smallest class has {min(left)} rows{' beside the test part' if sizes.test else ''}, too few for one "
            f"in each of {split.folds} folds. Take fewer folds, or stratify: false."
        )
        yield Finding(("split", "folds"), split.folds, told, {"maximum": min(left)} if min(left) > 1 else [None])


def _dropped(outline: Outline, profile: Profile, *, way: str, name: str) -> Iterator[Finding]:
    """Of which parts the rows without a target are, was not counted."""
    if way == "time" or not outline["dataset"].drop_missing_target:
        return
    targets = [column for column in profile.columns if column.name in named(outline["dataset"].settings())]
    if missing := max((target.missing for target in targets), default=0):
        told = (
            f"drop_missing_target leaves out {missing:,} rows, and how many of these {shown(name)} gives to "
            f"each {'group' if way == 'group' else 'part'} is not known. "
            "Fill their target in, or leave them out of the file."
        )
        yield Finding(("split", way), name, told, {"drop_missing_target": False})


def _column(name: str | None, profile: Profile) -> Column | None:
    return next((column for column in profile.columns if column.name == name), None)


_CHECKS: Mapping[str, Check] = {"time": _has_no_order, "column": _names_no_parts, "group": _has_no_groups}
