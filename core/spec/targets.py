"""What a table is to teach: a column, several of numbers, or labels; judged by what was found in these columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from core.checks import Finding, nearest, shown
from core.dataset import Column
from core.encoding import Reading
from core.parts.uploads import goals_of
from core.spec.classes import MOST_CLASSES, class_findings

Wanted = Mapping[str, Any]
"""The settings of an upload, as they were validated."""
Columns = Mapping[str, Column]

FLAGS = "true and false, or 0 and 1"


def named(wanted: Wanted) -> tuple[str, ...]:
    """The columns to predict, as far as there are any."""
    return goals_of(wanted["target"])


def findings(wanted: Wanted, columns: Columns, *, rows: int) -> Iterator[Finding]:
    """All that is wrong with the columns to predict."""
    names = named(wanted)
    if not names:
        yield Finding(("target",), None, "A table needs a target: name the column to predict.", list(columns))
        return
    found = [one for place, name in enumerate(names) for one in _wrong_column(wanted, columns, (place, name))]
    yield from found
    if found:
        return
    goals = [columns[name] for name in names]
    yield from _incomplete(wanted, goals, rows=rows)
    if wanted["target_separator"] is not None:
        yield from _unseparable(wanted, goals)
    elif len(goals) == 1:
        yield from _wrong_task(wanted["task"], goals[0])
    else:
        yield from _mixed(wanted["task"], goals)


def facts(wanted: Wanted, columns: Columns, *, rows: int) -> dict[str, Any]:
    """What a job rests on in these columns, when there are no findings: samples, classes, outputs, readings, labels."""
    goals = [columns[name] for name in named(wanted)]
    told: dict[str, Any] = {"samples": rows - max(goal.missing for goal in goals)}
    readings = {goal.name: str(Reading.of(goal)) for goal in goals}
    if wanted["target_separator"] is not None:
        labels = separated(goals[0].counts or {}, wanted["target_separator"])
        return told | {"target": readings[goals[0].name], "labels": labels, "outputs": len(labels)}
    if len(goals) == 1:
        return told | {"target": readings[goals[0].name], "classes": _classes(goals[0], wanted["task"])}
    told |= {"targets": readings, "outputs": len(goals)}
    return told | {"labels": tuple(readings)} if _task(wanted["task"], goals) == "labels" else told


def separated(cells: Mapping[str, int], separator: str) -> tuple[str, ...]:
    """The labels in these cells, in the order of the alphabet."""
    return tuple(sorted({label for cell in cells for label in labels_of(cell, separator)}))


def labels_of(cell: str, separator: str) -> set[str]:
    """The labels in a cell, without the blanks around them; a cell of a separator alone has none.

    >>> sorted(labels_of("comedy | drama|", "|"))
    ['comedy', 'drama']
    """
    return {label.strip() for label in cell.split(separator)} - {""}


def unknown(path: tuple[str | int, ...], name: str, columns: Columns) -> Finding:
    """What to tell of a name that no column has."""
    return Finding(path, name, f"The table has no column {shown(name)}.{nearest(name, columns)}", list(columns))


def infinite(column: Column) -> str | None:
    """Why nothing can be made of a column of such numbers, if that is so."""
    ends = [end for end in (column.minimum, column.maximum) if isinstance(end, float)]
    return None if all(map(math.isfinite, ends)) else f"{shown(column.name)} holds infinite numbers."


def odd_cells(column: Column) -> str:
    """Which cells keep a column from being numbers; nothing where it is none by far."""
    if column.odd is None:
        return ""
    one = column.odd.count == 1
    places = ", ".join(f"{shown(word)} in row {row:,}" for row, word in column.odd.places)
    more = ", …" if column.odd.count > len(column.odd.places) else ""
    what = "is no number" if one else "are no numbers"
    return f" {column.odd.count:,} of its {column.odd.cells:,} cells {what}: {places}{more}."


def _wrong_column(wanted: Wanted, columns: Columns, goal: tuple[int, str]) -> Iterator[Finding]:
    place, name = goal
    path = _path(wanted, place)
    sets = wanted["target_separator"] is not None
    if (column := columns.get(name)) is None:
        yield unknown(path, name, columns)
    elif name in named(wanted)[:place]:
        yield Finding(path, name, f"{shown(name)} is named twice.", "each column once")
    elif told := _unpredictable(column, sets=sets):
        allowed = [one.name for one in columns.values() if not _unpredictable(one, sets=sets)]
        yield Finding(path, name, told, allowed)


def _path(wanted: Wanted, place: int) -> tuple[str | int, ...]:
    return ("target",) if isinstance(wanted["target"], str) else ("target", place)


def _unpredictable(column: Column, *, sets: bool) -> str | None:
    """Why nothing can learn to predict this column, if that is so; `sets`: its words are lists of labels."""
    name = shown(column.name)
    if not column.distinct:
        return f"{name} is empty in every row."
    if column.distinct == 1:
        return f"{name} is the same in every row, so there is nothing to learn."
    if column.kind == "date" or (column.kind == "text" and not sets):
        what = "free text" if column.kind == "text" else "dates"
        return f"{name} holds {what}, which cannot be predicted.{odd_cells(column)}"
    return infinite(column)


def _incomplete(wanted: Wanted, goals: Sequence[Column], *, rows: int) -> Iterator[Finding]:
    lacking = [goal for goal in goals if goal.missing]
    if not wanted["drop_missing_target"]:
        for place, goal in enumerate(goals):
            if not goal.missing:
                continue
            told = (
                f"{goal.missing:,} of {rows:,} rows have no {shown(goal.name)}. "
                "Fill them in, or leave these rows out with drop_missing_target: true."
            )
            yield Finding(_path(wanted, place), goal.name, told, {"drop_missing_target": True})
    elif len(lacking) > 1:
        told = (
            f"Rows without a target are in {_list(shown(goal.name) for goal in lacking)}, and how many rows these are "
            "together was not counted. Leave them out of the file, or fill in all but one of these columns."
        )
        yield Finding(("target",), wanted["target"], told, {"columns with missing cells": 1})


def _wrong_task(task: str, column: Column) -> Iterator[Finding]:
    """Of a single column."""
    if task == "labels":
        told = (
            f"{shown(column.name)} is one column: labels are a list of columns of {FLAGS}, or the words of one column "
            'that target_separator parts, for example "|".'
        )
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task == "numbers" and column.kind != "number":
        told = f"{shown(column.name)} holds {column.kind} values, not numbers.{odd_cells(column)}"
        yield Finding(("task",), task, told, ["auto", "classes"])
    elif task == "auto" and column.odd is not None:
        told = (
            f"{shown(column.name)} is numbers but for a few words.{odd_cells(column)} Mend or empty these cells, or "
            'say with task: "classes" that all of it is classes.'
        )
        yield Finding(("target",), column.name, told, {"task": "classes"})
    elif (classes := _classes(column, task)) is not None:
        yield from class_findings(classes, task=task, path=("target",), value=column.name)


def _classes(column: Column, task: str) -> int | None:
    """How many classes the target has, None for numbers; of numbers only 0 and 1 are classes unless `task` says so."""
    is_number = column.kind == "number" and (task == "numbers" or (task == "auto" and not _is_flag(column)))
    return None if is_number else column.distinct


def _is_flag(column: Column) -> bool:
    """Whether each cell says yes or no: a boolean, or 0 and 1."""
    if column.kind == "boolean":
        return True
    return column.kind == "number" and column.distinct == 2 and (column.minimum, column.maximum) == (0, 1)


def _task(task: str, goals: Sequence[Column]) -> Literal["numbers", "labels"] | None:
    """What several columns are together, None when they cannot be what `task` says."""
    fits: Mapping[Literal["labels", "numbers"], Callable[[Column], bool]] = {
        "labels": _is_flag,
        "numbers": lambda column: column.kind == "number",
    }
    return next((one for one, is_one in fits.items() if task in ("auto", one) and all(map(is_one, goals))), None)


def _mixed(task: str, goals: Sequence[Column]) -> Iterator[Finding]:
    """Several columns must be all numbers or all labels."""
    if task in ("binary", "classes"):
        told = f"{shown(task)} is for one target; the {len(goals)} columns here are numbers or labels."
        yield Finding(("task",), task, told, ["auto", "numbers", "labels"])
    elif _task(task, goals) is None:
        kinds = _list(f"{shown(goal.name)}: {_told(goal)}" for goal in goals)
        needed = {"numbers": "be numbers", "labels": f"hold {FLAGS}"}
        wish = needed.get(task) or f"all be numbers, or all hold {FLAGS}"
        told = f"Several targets must {wish}; here are {kinds}."
        told += "".join(f" Of {shown(goal.name)}:{odd_cells(goal)}" for goal in goals if goal.odd)
        yield Finding(("target",), [goal.name for goal in goals], told, {"kinds": ["number", FLAGS]})


def _told(column: Column) -> str:
    if column.kind == "number":
        return "0 and 1" if _is_flag(column) else "number"
    return f"{column.kind} of {column.distinct:,} words" if column.kind == "category" else column.kind


def _unseparable(wanted: Wanted, goals: Sequence[Column]) -> Iterator[Finding]:
    """Labels are found by the counts of the words that stand in the cells."""
    separator, task, goal = wanted["target_separator"], wanted["task"], goals[0]
    path = ("target_separator",)
    if task not in ("auto", "labels"):
        yield Finding(("task",), task, f"{shown(task)} is not for words that a separator parts.", ["auto", "labels"])
    if len(goals) > 1:
        told = f"A separator parts the words of one column; {len(goals)} are named."
        yield Finding(path, separator, told, [None])
    elif goal.kind not in ("category", "text"):
        told = f"{shown(goal.name)} holds {goal.kind} values; a separator parts words."
        yield Finding(path, separator, told, [None])
    elif goal.counts is None:
        told = (
            f"{shown(goal.name)} holds too many different cells to know all of their labels beforehand. Give each "
            f"label a column of its own with {FLAGS}, and name these columns as the target."
        )
        yield Finding(path, separator, told, {"target": "a list of columns"})
    elif not 2 <= (labels := len(separated(goal.counts, separator))) <= MOST_CLASSES:
        told = f"{shown(separator)} parts {shown(goal.name)} into {labels:,} labels."
        yield Finding(path, separator, told, {"labels": f"2 to {MOST_CLASSES}"})


def _list(words: Iterator[str], most: int = 12) -> str:
    """Words in a sentence; of many the first."""
    told = list(words)
    told = [*told[:most], f"{len(told) - most:,} more"] if len(told) > most else told
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
