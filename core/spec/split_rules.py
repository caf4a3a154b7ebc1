"""What must hold of a split: parts that are not empty, classes on every side, and one way to choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.checks import Finding, shown
from core.spec.outline import Outline
from core.split import sizes as arithmetic


def split_is_chosen_one_way(outline: Outline) -> Iterator[Finding]:
    """By shares, by a column of times, or by a column that names the parts; columns are those of a table."""
    split = outline["split"]
    if split.time is not None and split.column is not None:
        told = 'A split is by "time" or by "column", not by both.'
        yield Finding(("split", "time"), split.time, told, [None])
    for way in ("time", "column"):
        if (name := getattr(split, way)) is not None:
            yield from _without_columns(outline, way, name)
    for share in ("validation", "test"):
        yield from _misplaced_share(split, share)


def split_leaves_samples(outline: Outline) -> Iterator[Finding]:
    """There is at least one sample to train on."""
    sizes, split = outline.split_sizes, outline["split"]
    if sizes.train >= 1:
        return
    if split.column is not None:
        told = f"No row of {shown(split.column)} says train, so there is nothing to train on."
        yield Finding(("split", "column"), split.column, told, {"train": ">= 1"})
        return
    part, other = ("test", "validation") if split.test > split.validation else ("validation", "test")
    share, beside, samples = getattr(split, part), getattr(split, other), sum(sizes)
    told = f"{shown(share)} of {samples} samples"
    told += f", with {shown(beside)} for {other}, leaves none to train on." if beside else " leaves none to train on."
    most = arithmetic(samples, beside).train - 1
    yield Finding(("split", part), share, told, {"maximum": max(0, most) / samples})


def stratified_split_holds_classes(outline: Outline) -> Iterator[Finding]:
    """A stratified split is drawn, needs classes, and has room for one sample of each in every part."""
    split, classes = outline["split"], outline.data_shape.classes
    if not split.stratify:
        return
    if split.time is not None or split.column is not None:
        told = "Only a split that is drawn can be stratified; here a column says where each row belongs."
        yield Finding(("split", "stratify"), split.stratify, told, [False])
    elif classes is None:
        told = "A split can be stratified by classes only; this target is numbers."
        yield Finding(("split", "stratify"), split.stratify, told, [False])
    else:
        yield from _too_small_for_classes(outline, classes)


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
    elif split.column is None and share is None:
        told = "Only a split by a column goes without this share: give a number from 0 up to below 1."
        yield Finding(("split", part), share, told, {"minimum": 0, "exclusiveMaximum": 1})


def _too_small_for_classes(outline: Outline, classes: int) -> Iterator[Finding]:
    sizes, split = outline.split_sizes, outline["split"]
    held = {part: getattr(sizes, part) for part in ("validation", "test") if getattr(split, part)}
    if not held or sizes.train < 1 or min(sizes.train, *held.values()) >= classes:
        return
    least = min(held, key=lambda part: held[part])
    part = least if held[least] < classes else max(held, key=lambda name: held[name])
    made = [f"{sizes.train} training", *(f"{size} {name}" for name, size in held.items())]
    told = (
        f"A stratified split needs a sample of each of the {classes} classes in every part; "
        f"{shown(getattr(split, part))} makes {', '.join(made[:-1])} and {made[-1]} samples. "
        "Choose another share, or stratify: false."
    )
    yield Finding(("split", part), getattr(split, part), told, {"samples": f">= {classes}"})
