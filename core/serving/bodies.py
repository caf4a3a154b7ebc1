"""A body as it came, by its type: rows, texts, a text to go on with, or pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from core.checks import explain, problems, refuse
from core.errors import RowsRefused
from core.job import Problem
from core.serving.asking import FORM, JSON, JSONL, SEPARATORS, TEXT
from core.serving.forms import files_of
from core.serving.wish import MOST_TEXT, PredictWish

_ENDINGS = {"csv": "text/csv", "tsv": "text/tab-separated-values", "json": JSON, "jsonl": JSONL[0], "txt": TEXT}
_CELL = 1_000_000
_ONE_OF = ("rows", "texts", "text")


@dataclass(frozen=True)
class Given:
    """What was sent, as one of these; `table` says that the rows are words of a file."""

    rows: Sequence[Any] | None = None
    texts: Sequence[str | None] | None = None
    pictures: Sequence[tuple[str, bytes]] | None = None
    text: PredictWish | None = None
    plain: str | None = None
    """A text that came as it is: one to classify, or one to go on with."""
    table: bool = field(default=False)


def given(content_type: str, body: bytes) -> Given:
    """What a body holds; raises RowsRefused for one that cannot be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return _of_form(content_type, body)
    if kind.startswith("image/"):
        return Given(pictures=[("", body)])
    if kind in SEPARATORS:
        return Given(rows=list(_table(body, SEPARATORS[kind])), table=True)
    if kind in JSONL:
        return Given(rows=list(_lines(body)))
    return Given(plain=_decoded(body)) if kind == TEXT else _of_json(body)


def refused(message: str, pointer: str = "", allowed: Any = None) -> RowsRefused:
    """One problem."""
    return RowsRefused([Problem(pointer, message, allowed)])


def _of_form(content_type: str, body: bytes) -> Given:
    files = list(files_of(content_type, body))
    if not files:
        raise refused("The form holds no file: send pictures, or one table, each as a file with its name.")
    ending = files[0].name.rpartition(".")[2].lower()
    if len(files) == 1 and ending in _ENDINGS:
        return given(_ENDINGS[ending], files[0].content)
    return Given(pictures=[(file.name, file.content) for file in files])


def _of_json(body: bytes) -> Given:
    try:
        wish = PredictWish.model_validate(_json(body))
    except ValidationError as error:
        found = explain(error, PredictWish, noun="a prediction")
        raise RowsRefused(problems(refuse("rows", found))) from None
    named = [name for name in _ONE_OF if getattr(wish, name) is not None]
    if len(named) != 1:
        told = "Give one of `rows`, `texts` and `text`" + (f", not {' and '.join(named)}." if named else ".")
        raise refused(told, allowed=list(_ONE_OF))
    if wish.text is not None:
        return Given(text=wish)
    for name in ("generate", "temperature", "seed"):
        if name in wish.model_fields_set:
            raise refused(f"{name} goes with `text` alone: only a language model can go on.", f"/{name}")
    return Given(rows=wish.rows, texts=wish.texts)


def _json(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise refused("The JSON is nested hundreds deep.") from None
    except ValueError as error:
        raise refused(f"The body is not JSON: {error}.") from None


def _lines(body: bytes) -> Iterator[Any]:
    for line in _decoded(body).splitlines():
        if line.strip():
            yield _json(line)


def _table(body: bytes, separator: str) -> Iterator[dict[str, str]]:
    """The rows below the header, by its names; a row with another number of cells is refused with its line."""
    csv.field_size_limit(_CELL)
    reader = csv.reader(_decoded(body).splitlines(keepends=True), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names) or not all(names):
            raise refused("Each column needs a name of its own in the first line.", "/header")
        wrong = []
        for cells in reader:
            if len(cells) == len(names):
                yield dict(zip(names, cells, strict=True))
            elif cells:
                told = f"Line {reader.line_num} has {len(cells)} cells, and the first line names {len(names)} columns."
                wrong.append(Problem(f"/lines/{reader.line_num}", told))
    except csv.Error as error:
        raise refused(f"Line {reader.line_num} is not written as a table: {error}.") from None
    if wrong:
        raise RowsRefused(wrong)


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(f"The body is not text in UTF-8: byte {error.start:,} is none of it.") from None


def prompt(text: str) -> PredictWish:
    """A text that came as it is, for a language model."""
    if not text or len(text) > MOST_TEXT:
        raise refused(f"Send a text of 1 to {MOST_TEXT:,} characters.")
    return PredictWish(text=text)
