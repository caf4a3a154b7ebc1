"""What must hold of a split: parts that are not empty, classes on every side, and one way to choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core import groups
from core.checks import Finding, shown
from core.spec.outline import Outline
from core.split import sizes as arithmetic

WAYS: Mapping[str, str] = {"time": "by time", "column": "by a column of parts", "group": "by group"}
"""The settings that name a column to split by."""


def split_is_chosen_one_way(outline: Outline) -> Iterator[Finding]:
    """By shares, by a column of times, of parts or of groups; columns are those of a table."""
    split = outline["split"]
    chosen = [way for way in WAYS if getattr(split, way) is not None]
    if len(chosen) > 1:
        told = f"A split is {WAYS[chosen[0]]} or {WAYS[chosen[1]]}, not by both."
        yield Finding(("split", chosen[0]), getattr(split, chosen[0]), told, [None])
    for way in chosen:
        yield from _without_columns(outline, way, getattr(split, way))
    for share in ("validation", "test"):
        yield from _misplaced_share(split, share)


def folds_can_be_made(outline: Outline) -> Iterator[Finding]:
    """Folds are drawn, from enough samples; and who trains one of them says of how many."""
    split, folds = outline["split"], outline["split"].folds
    if split.fold is not None and split.fold > (folds or 0):
        told = (
            f"There is no fold {shown(split.fold)} of {folds}."
            if folds
            else '"fold" is one of the "folds": say how many.'
        )
        yield Finding(("split", "fold"), split.fold, told, {"maximum": folds} if folds else [None])
    if folds is None:
        return
    if (why := _without_folds(outline)) is not None:
        yield Finding(("split", "folds"), folds, why, [None])
    elif split.test is not None and split.group is None and not outline.data_shape.next_token:
        rest = arithmetic(outline.data_shape.samples, 0, test=split.test).train
        if rest < folds:
            told = f"{folds} folds need as many samples; {rest} are left to make them of."
            yield Finding(("split", "folds"), folds, told, {"maximum": rest} if rest > 1 else [None])


def groups_suffice(outline: Outline) -> Iterator[Finding]:
    """There is a group for each part."""
    split, facts = outline["split"], outline.facts
    if split.group is None or split.test is None or facts is None or facts.groups is None:
        return
    there = sum(groups.read(facts.groups).values())
    needed = groups.fewest(validation=split.validation, test=split.test, folds=split.folds)
    if there < needed:
        parts = f"{split.folds} folds" if split.folds else "the training part"
        beside = [name for name in ("validation", "test") if getattr(split, name)]
        more = f" and a group for {' and '.join(beside)}" if beside else ""
        told = f"{shown(split.group)} has {there} groups, too few for {parts}{more}: these take at least {needed}."
        path = "folds" if split.folds else "group"
        yield Finding(("split", path), getattr(split, path), told, {"groups": f">= {needed}"})
    elif (
        split.folds is None and (shares := arithmetic(facts.samples, split.validation or 0, test=split.test)).train < 1
    ):
        yield from _nothing_trains(split, sum(shares))


def split_leaves_samples(outline: Outline) -> Iterator[Finding]:
    """There is at least one sample to train on."""
    sizes, split = outline.drawn_sizes, outline["split"]
    if sizes.train >= 1:
        return
    if split.column is not None:
        told = f"No row of {shown(split.column)} says train, so there is nothing to train on."
        yield Finding(("split", "column"), split.column, told, {"train": ">= 1"})
        return
    if split.folds is None:
        yield from _nothing_trains(split, sum(sizes))


def stratified_split_holds_classes(outline: Outline) -> Iterator[Finding]:
    """A stratified split is drawn, needs classes, and has room for one sample of each in every part."""
    split, classes = outline["split"], outline.data_shape.classes
    if not split.stratify:
        return
    if split.group is not None:
        told = "Whole groups cannot be dealt by classes: a split by group is not stratified."
        yield Finding(("split", "stratify"), split.stratify, told, [False])
    elif split.time is not None or split.column is not None:
        told = "Only a split that is drawn can be stratified; here a column says where each row belongs."
        yield Finding(("split", "stratify"), split.stratify, told, [False])
    elif classes is None:
        what = {"labels": "labels, of which a sample may have several", "tokens": "tokens"}.get(outline.task, "numbers")
        what = "the sample itself" if outline.data_shape.reconstructs else what
        told = f"A split can be stratified by classes only; this target is {what}."
        yield Finding(("split", "stratify"), split.stratify, told, [False])
    else:
        yield from _too_small_for_classes(outline, classes)


def _without_folds(outline: Outline) -> str | None:
    """Why there are no folds to make, if that is so."""
    split = outline["split"]
    if split.column is not None:
        return f"The column {shown(split.column)} says which rows validate, so there are no folds to make."
    if split.time is not None:
        return "All but the last fold would train on what comes after it, so a split by time has no folds."
    return None


def _nothing_trains(split: Any, samples: int) -> Iterator[Finding]:
    part, other = ("test", "validation") if split.test > split.validation else ("validation", "test")
    share, beside = getattr(split, part), getattr(split, other)
    told = f"{shown(share)} of {samples} samples"
    told += f", with {shown(beside)} for {other}, leaves none to train on." if beside else " leaves none to train on."
    most = arithmetic(samples, beside).train - 1
    yield Finding(("split", part), share, told, {"maximum": max(0, most) / samples})


def _without_columns(outline: Outline, way: str, name: str) -> Iterator[Finding]:
    facts = outline.facts
    if facts is None or facts.form != "table":
        what = "This upload is no table" if facts else f"The dataset {shown(outline['dataset'].name)} has no columns"
        told = f"{what}, so it cannot be split by {shown(name)}: only uploaded tables can."
        yield Finding(("split", way), name, told, [None])


def _misplaced_share(split: Any, part: str) -> Iterator[Finding]:
    share = getattr(split, part)
    if split.column is not None and share is not None:
        told = f"The column {shown(split.column)} says which rows are for {part}: leave the share out."
        yield Finding(("split", part), share, told, [None])
    elif part == "validation" and split.folds is not None:
        if share is not None and split.column is None:
            told = f"Each of the {split.folds} folds validates in its turn: leave the share out."
            yield Finding(("split", part), share, told, [None])
    elif split.column is None and share is None:
        told = "Only a split by a column goes without this share: give a number from 0 up to below 1."
        yield Finding(("split", part), share, told, {"minimum": 0, "exclusiveMaximum": 1})


def _too_small_for_classes(outline: Outline, classes: int) -> Iterator[Finding]:
    sizes, split = outline.drawn_sizes, outline["split"]
    asked = {"validation": split.folds or split.validation, "test": split.test}
    held = {part: getattr(sizes, part) for part, value in asked.items() if value}
    if not held or sizes.train < 1 or min(sizes.train, *held.values()) >= classes:
        return
    least = min(held, key=lambda part: held[part])
    part = least if held[least] < classes else max(held, key=lambda name: held[name])
    path = "folds" if part == "validation" and split.folds else part
    made = [f"{sizes.train} training", *(f"{size} {name}" for name, size in held.items())]
    told = (
        f"A stratified split needs a sample of each of the {classes} classes in every part; "
        f"{shown(asked[part])} makes {', '.join(made[:-1])} and {made[-1]} samples. "
        f"Choose {'fewer folds' if path == 'folds' else 'another share'}, or stratify: false."
    )
    yield Finding(("split", path), asked[part], told, {"samples": f">= {classes}"})
