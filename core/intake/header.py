"""The first line of a CSV or TSV: what parts its cells, and what they name."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

from core.dataset import Format
from core.intake.limits import Limits
from core.intake.places import SHOWN, Places, refused
from core.intake.records import BOM

SEPARATORS = ",;\t|"
"""What may part the cells of a CSV: the one that the header has most of, the comma when in doubt."""


def separator_of(first_line: bytes, format_: Format) -> str:
    """What parts the cells."""
    if format_ == "tsv":
        return "\t"
    bare = b"".join(first_line.split(b'"')[::2])
    return max(SEPARATORS, key=lambda mark: bare.count(mark.encode()))


def header(record: bytes, separator: str, limits: Limits) -> list[str]:
    """The names of the columns. Raises DataRefused for what names none: empty, doubled, too many, numbers, no text."""
    try:
        text = record.removeprefix(BOM).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise refused("the names of the columns are not UTF-8: save the file as UTF-8.", line=1) from None
    if "\r" in text:
        raise refused("the lines end in CR alone: save the file with line ends of today (LF or CRLF).")
    try:
        names = next(csv.reader([text], delimiter=separator), [])
    except csv.Error as error:
        raise refused(f"the names of the columns cannot be read: {error}.", line=1) from error
    judge_names(names, limits)
    if all(_is_number(name) for name in names):
        raise refused("the first line holds numbers: a table begins with the names of its columns.", line=1)
    return names


def judge_names(names: Sequence[str], limits: Limits) -> None:
    """Raise DataRefused for too many names, and for each that is empty or there twice."""
    if len(names) > limits.columns:
        raise refused(f"the table has {len(names):,} columns; {limits.columns:,} are allowed.")
    places = Places()
    counted = Counter(names)
    for number, name in enumerate(names, 1):
        if not name.strip():
            hint = " Was it written with its row numbers? Leave them out (pandas: index=False)." if number == 1 else ""
            places.add(f"it has no name.{hint}", column=str(number))
        elif not name.isprintable():
            places.add("its name holds a line break or another character that cannot be shown.", column=name)
        elif len(name) > 200:
            places.add(f"its name has {len(name):,} characters: 200 are allowed.", column=str(number))
    for name in [name for name, times in counted.items() if times > 1 and name.strip()][:SHOWN]:
        places.add(f"{counted[name]} columns have this name: give each its own.", column=name)
    places.judge()


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
