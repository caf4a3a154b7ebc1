"""From what was sent to what the model takes, or everything that is wrong with it, each with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.checks import MAX_PROBLEMS, nearest, shown
from core.dataset import Facts
from core.errors import RowsRefused
from core.intake.pictures import BOMBS, DAMAGED, careful
from core.job import Problem
from core.loading.categories import Category, Coded
from core.loading.codes import Code, Moment, Quantity
from core.loading.pictures import pixels
from core.loading.rows import number_in, present, reader
from core.serving.bodies import Given, refused
from core.serving.served import Served


def samples(served: Served, given: Given, *, pixels_: int) -> Tensor:
    """The samples as the model takes them; raises RowsRefused with the first problems, and how many there are."""
    if served.takes in ("rows of a table", "rows of a series"):
        return _of_table(served, _rows(served, given))
    if served.takes == "texts":
        return served.prepare(_texts(served, given))
    if given.pictures is not None:
        return _of_pictures(served, given.pictures, pixels_)
    return served.prepare(_arrays(served, _rows(served, given)))


def _rows(served: Served, given: Given) -> Sequence[Any]:
    if given.rows is None:
        wanted = {"pictures": "one as the body, or several in a form"}.get(served.takes, "them as `rows`, or as a CSV")
        raise refused(f"This model takes {served.takes}: send {wanted}.", allowed=served.takes)
    if not given.rows:
        raise refused("There are no rows.", "/rows")
    return given.rows


def _refuse(found: Iterator[Problem]) -> None:
    """Raise what was found, if anything was; the rest is counted and not told."""
    if problems := list(islice(found, MAX_PROBLEMS)):
        raise RowsRefused(problems, count=len(problems) + sum(1 for _ in found))


def _of_table(served: Served, rows: Sequence[Any]) -> Tensor:
    _refuse(Problem(f"/rows/{at}", f"{shown(row)} is no row of a table: give an object with its columns by name.")
            for at, row in enumerate(rows) if not isinstance(row, Mapping))  # fmt: skip
    codes = served.prepare.encoder.codes if served.prepare.encoder else ()
    _refuse(problem for code in codes for problem in _of_column(code, rows))
    window = served.prepare.window
    if window is not None and len(rows) < window:
        told = f"This model looks at {window:,} rows of a series, in the order of time: these are {len(rows):,}."
        raise refused(told, "/rows", {"minItems": window})
    return served.prepare(rows)


def _of_column(code: Code, rows: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    if not any(code.name in row for row in rows):
        there = {name: None for row in rows[:10] for name in row}
        yield Problem(
            f"/rows/0/{_step(code.name)}",
            f"The rows have no column {shown(code.name)}, which the model was trained on.{nearest(code.name, there)}",
        )
        return
    wanted, read = _wanted(code), None if isinstance(code, Category | Coded) else reader(code)
    for at, row in enumerate(rows):
        cell = present(row.get(code.name))
        wrong = isinstance(cell, list | dict) if read is None else math.isinf(number_in(read, cell))
        if wrong:
            yield Problem(f"/rows/{at}/{_step(code.name)}", f"{shown(cell)} is no {wanted}.", wanted)


def _wanted(code: Code) -> str:
    if isinstance(code, Moment):
        return "date as in ISO 8601 (2024-01-31, 2024-01-31T12:00:00Z)"
    if isinstance(code, Quantity):
        return "true or false" if code.kind == "boolean" else "number"
    return "word"


def _step(name: str) -> str:
    return name[:200].replace("~", "~0").replace("/", "~1")


def _texts(served: Served, given: Given) -> Sequence[str | None]:
    if given.plain is not None:
        return [given.plain]
    if given.texts is not None:
        return given.texts
    if given.rows is None:
        raise refused("This model takes texts: send them as `texts`, or as rows with their column.", allowed="texts")
    column = (served.prepare.tokens and served.prepare.tokens.column) or ""
    _refuse(_no_texts(given.rows, column))
    return [row.get(column) for row in given.rows]


def _no_texts(rows: Sequence[Any], column: str) -> Iterator[Problem]:
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping) or column not in row:
            yield Problem(f"/rows/{at}", f"The row has no column {shown(column)}, whose text the model was trained on.")
        elif not isinstance(row[column], str | None):
            yield Problem(f"/rows/{at}/{_step(column)}", f"{shown(row[column])} is no text.", "text")


def _arrays(served: Served, rows: Sequence[Any]) -> NDArray[np.float32]:
    shape, size = served.spec.data_shape.features, math.prod(served.spec.data_shape.features)
    _refuse(problem for at, row in enumerate(rows) if isinstance(row, Mapping) for problem in _unnamed(served, row, at))
    lists = [[float(row[name]) for name in served.names] if isinstance(row, Mapping) else row for row in rows]
    found = [_numbers(row) for row in lists]
    _refuse(
        Problem(f"/rows/{at}", f"{shown(row)} is no sample: {_told(array, shape)}.", {"shape": list(shape)})
        for at, (row, array) in enumerate(zip(rows, found, strict=True))
        if array is None or array.shape not in (shape, (size,)) or not np.isfinite(array).all()
    )
    return np.stack([array.reshape(shape) for array in found if array is not None])


def _numbers(row: Any) -> NDArray[np.float32] | None:
    """The numbers of a nested list, as data sets hold them; None for what holds anything else, or is ragged."""
    try:
        array = np.array(row)
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return array.astype(np.float32) if array.dtype.kind in "iufb" else None


def _told(array: NDArray[Any] | None, shape: tuple[int, ...]) -> str:
    wanted = f"give a list of numbers of the shape {list(shape)}"
    if array is None:
        return wanted
    return wanted if not np.isfinite(array).all() else f"its shape is {list(array.shape)}; {wanted}"


def _unnamed(served: Served, row: Mapping[str, Any], at: int) -> Iterator[Problem]:
    """What is wrong with a row whose features should have their names."""
    if not served.names:
        yield Problem(f"/rows/{at}", "The features of this model have no names: give each row as a list of numbers.")
    for name in served.names:
        if name not in row:
            yield Problem(f"/rows/{at}/{_step(name)}", f"{shown(name)} is required.{nearest(name, row)}", "number")
        elif not math.isfinite(number_in(float, present(row[name]))):
            yield Problem(f"/rows/{at}/{_step(name)}", f"{shown(row[name])} is no number.", "number")


def _of_pictures(served: Served, pictures: Sequence[tuple[str, bytes]], most: int) -> Tensor:
    """Each picture as it was brought to the training's size, and scaled."""
    facts: Facts | None = served.spec.dataset.settings().get("facts")
    shape = served.spec.data_shape.features
    if served.takes != "pictures" or facts is None or len(shape) != 3:
        raise refused(f"This model takes {served.takes}, not pictures.", allowed=served.takes)
    x = np.empty((len(pictures), *shape), np.uint8)
    broken = []
    with careful(most):
        for at, (name, content) in enumerate(pictures):
            try:
                x[at] = pixels(content, shape=shape, resize=served.spec.dataset.settings()["resize"])
            except (*DAMAGED, *BOMBS) as error:
                told = f"The picture {shown(name)} " if name else "The picture "
                broken.append(Problem(f"/files/{at}", f"{told}cannot be decoded: {error}."))
    _refuse(iter(broken))
    return served.prepare(np.divide(x, 255, dtype=np.float32))
