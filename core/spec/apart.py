"""Files that validate or test and train nothing: of the same form as the one that trains, and told in its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.checks import Finding, nearest, shown
from core.dataset import Apart, Column, Dataset, Facts, Held, Profile
from core.spec import targets
from core.spec.outline import Outline
from core.spec.targets import Wanted

PARTS: tuple[Held, ...] = ("validation", "test")
MOST_TOLD = 5
"""Unknown classes that a refusal repeats."""
_WORDS = ("category", "text")

Told = tuple[str, Any]
"""A sentence about a file that cannot be a part, and what is allowed."""


def fact(wanted: Wanted, found: Dataset) -> Apart:
    """What a job rests on in such a file, when there are no findings."""
    columns = {column.name: column for column in found.profile.columns}
    missing = max((columns[name].missing for name in targets.named(wanted) if name in columns), default=0)
    return Apart(sha256=found.sha256, format=found.profile.format, samples=found.profile.rows - missing)


def findings(part: Held, wanted: Wanted, whole: Dataset, found: Dataset, facts: Facts) -> Iterator[Finding]:
    """What is wrong with `found` as this part of a job that trains on `whole`, of which `facts` are told."""
    if wrong := list(_wrong(wanted, whole, found, facts)):
        more = [f"And {len(wrong) - MOST_TOLD} more problems."] if len(wrong) > MOST_TOLD else []
        yield Finding((part,), wanted[part], " ".join([told for told, _ in wrong[:MOST_TOLD]] + more), wrong[0][1])


def parts_are_told_once(outline: Outline) -> Iterator[Finding]:
    """What comes in a file of its own takes no share of the one that trains."""
    split, facts = outline["split"], outline.facts
    for part in facts.apart if facts else ():
        if split.column is not None and facts is not None and facts.split_counts.get(part):
            told = f"{shown(split.column)} names rows for {part}, and the dataset names a file for it: which one holds?"
            yield Finding(("split", "column"), split.column, told, {part: 0})
        elif getattr(split, part):
            told = f"The dataset names a file for {part}, so the split takes no share for it: leave it out, or give 0."
            yield Finding(("split", part), getattr(split, part), told, [0])
    if facts is not None and "validation" in facts.apart and split.folds is not None:
        told = "Each fold validates in its turn, and the dataset names a file for validation: which one holds?"
        yield Finding(("split", "folds"), split.folds, told, [None])
    if facts is not None and facts.apart and outline["loader"].streaming:
        told = "Data that is streamed comes from one file: give the split a share, or hold the data in memory."
        yield Finding(("loader", "streaming"), outline["loader"].streaming, told, [False])


def _wrong(wanted: Wanted, whole: Dataset, found: Dataset, facts: Facts) -> Iterator[Told]:
    profile = found.profile
    if found.sha256 == whole.sha256:
        yield "This is the very file that trains; how well it was learned by heart says nothing.", "another file"
    elif facts.form == "text":
        yield "A plain text validates and tests by its own last parts, not by another file.", [None]
    elif wanted.get("series") is not None:
        yield "The windows of a series come from one file, which the split parts in time.", [None]
    elif profile.form != facts.form:
        yield f"This file holds {profile.form}, the one that trains {facts.form}.", {"form": facts.form}
    elif facts.form == "table":
        yield from _wrong_columns(wanted, whole.profile, profile, facts)
    elif facts.form == "images":
        yield from (
            ()
            if facts.itself
            else _unknown_classes(dict.fromkeys(profile.classes or (), 1), whole.profile.classes or (), "folders")
        )
    else:
        yield from _wrong_arrays(whole.profile, profile, facts)


def _wrong_arrays(whole: Profile, found: Profile, facts: Facts) -> Iterator[Told]:
    if found.shape != whole.shape:
        told = f"A sample here has the shape {list(found.shape or ())}, where it trains {list(whole.shape or ())}."
        yield told, {"shape": list(whole.shape or ())}
    if facts.itself:
        return
    kinds = [(one.classes is None, one.outputs) if one else None for one in (whole.targets, found.targets)]
    if kinds[0] != kinds[1] and not (facts.classes is None and kinds[1] is not None and kinds[1][1] == facts.outputs):
        yield "The targets here are of another kind than those that train: classes, or as many numbers.", "the same"


def _wrong_columns(wanted: Wanted, whole: Profile, found: Profile, facts: Facts) -> Iterator[Told]:
    there = {column.name: column for column in found.columns}
    trained = {column.name: column for column in whole.columns}
    for name in [*targets.named(wanted), *facts.columns]:
        if (column := there.get(name)) is None:
            yield f"This table has no column {shown(name)}, which trains.{nearest(name, there)}", list(trained)
        elif not _is_alike(column, trained[name]):
            told = f"{shown(name)} holds {column.kind} values here, where it trains {trained[name].kind} values."
            yield told, {"kind": trained[name].kind}
    goals = [(there[name], trained[name]) for name in targets.named(wanted) if name in there]
    yield from _incomplete(wanted, [column for column, _ in goals if column.missing], rows=found.rows)
    for column, known in goals:
        if _is_alike(column, known):
            yield from _unknown_words(wanted, facts, column, known)


def _is_alike(column: Column, trained: Column) -> bool:
    """Whether both are read in the same way; words are words, whether they repeat or not."""
    return column.kind == trained.kind or (column.kind in _WORDS and trained.kind in _WORDS)


def _incomplete(wanted: Wanted, lacking: list[Column], *, rows: int) -> Iterator[Told]:
    if not wanted["drop_missing_target"]:
        for column in lacking:
            told = f"{column.missing:,} of {rows:,} rows here have no {shown(column.name)}. "
            told += "Fill them in, or leave these rows out with drop_missing_target: true."
            yield told, {"drop_missing_target": True}
    elif len(lacking) > 1:
        yield "Rows without a target are in several columns here; how many together was not counted.", {"columns": 1}
    elif lacking and lacking[0].missing == rows:
        yield f"{shown(lacking[0].name)} is empty in every row here.", {"missing": f"< {rows}"}


def _unknown_words(wanted: Wanted, facts: Facts, column: Column, known: Column) -> Iterator[Told]:
    """Classes and labels that were never trained; where nobody counted them, the run tells."""
    separator = wanted["target_separator"]
    if separator is not None and facts.labels is not None:
        labels = dict.fromkeys(targets.separated(column.counts or {}, separator), 1)
        yield from _unknown_classes(labels, facts.labels, shown(column.name))
    elif facts.labels is not None:
        yield from _unknown_classes(column.counts or {}, ("0", "1", "true", "false"), shown(column.name))
    elif facts.classes is not None and known.counts is not None:
        yield from _unknown_classes(column.counts or {}, tuple(known.counts), shown(column.name))


def _unknown_classes(found: Mapping[str, int], known: tuple[str, ...], where: str) -> Iterator[Told]:
    if odd := [word for word in found if word not in known]:
        more = f" and {len(odd) - MOST_TOLD:,} more" if len(odd) > MOST_TOLD else ""
        words = ", ".join(map(shown, odd[:MOST_TOLD]))
        yield f"{where} holds classes here that are not trained: {words}{more}.", list(known[:MOST_TOLD])
