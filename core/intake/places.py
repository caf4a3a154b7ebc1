"""What is wrong with a file, place by place: the first problems are told, all are counted."""

from __future__ import annotations

from core.errors import DataRefused
from core.job import Problem

SHOWN = 20


class Places:
    """The problems found so far."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._count = 0

    def add(self, message: str, *, row: int | None = None, column: str | None = None, line: int | None = None) -> None:
        """Note what is wrong; `row` counts from 1 without the header, `line` from 1 with it."""
        self._count += 1
        if len(self._problems) < SHOWN:
            place = ", ".join(filter(None, [_row(row, line), None if column is None else f"column {shown(column)}"]))
            told = f"{place}: {message}" if place else message
            self._problems.append(Problem(_pointer(row, column), told[:1].upper() + told[1:]))

    def add_more(self, count: int) -> None:
        """Note that so many more are wrong."""
        self._count += count

    @property
    def empty(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self._count

    def judge(self) -> None:
        """Raise DataRefused if there is a problem."""
        if self._count:
            raise self.refusal()

    def refusal(self) -> DataRefused:
        """The problems as an error."""
        return DataRefused(self._problems, count=self._count)


def refused(message: str, *, row: int | None = None, column: str | None = None, line: int | None = None) -> DataRefused:
    """The refusal for one problem that ends the look."""
    places = Places()
    places.add(message, row=row, column=column, line=line)
    return places.refusal()


def shown(word: str) -> str:
    """A word of the file as it may stand in a message: quoted, without control characters, not too long."""
    return repr(word if len(word) <= 60 else f"{word[:57]}...")


def _row(row: int | None, line: int | None) -> str | None:
    if row is None:
        return None if line is None else f"line {line}"
    return f"row {row}" if line is None else f"row {row} (line {line})"


def _pointer(row: int | None, column: str | None) -> str:
    steps = ["file"]
    if row is not None:
        steps += ["rows", str(row)]
    elif column is not None:
        steps.append("columns")
    if column is not None:
        steps.append(column[:100].replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in steps)
