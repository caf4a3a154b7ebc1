"""A whole file to a trained model, some thousand rows at a time: never more of it is in memory, here or there."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.errors import BadRequest, RowsRefused
from core.job import Problem
from core.serving.sheet import Sheet

PIECE = 5_000
PIECE_BYTES = 8 << 20
"""So many rows or bytes are sent at a time: well below what a service takes when nothing else is set."""
STREAMED = {"csv", "tsv", "jsonl", "parquet"}
"""The endings of files that are read piece by piece."""

Row = dict[str, Any]


def pieces(path: Path, *, rows: int = PIECE) -> Iterator[tuple[int, bytes]]:
    """How many rows of a table, and these as the body of a request, until there are none.

    Raises BadRequest for a file that cannot be read.
    """
    ending = path.name.rpartition(".")[2].lower()
    read = {"csv": _words, "tsv": _words, "jsonl": _lines, "parquet": _parquet}[ending]
    held, size = list[bytes](), 0
    try:
        for row in read(path):
            held.append(json.dumps(row).encode())
            size += len(held[-1])
            if len(held) == rows or size >= PIECE_BYTES:
                yield len(held), _body(held)
                held, size = [], 0
        if held:
            yield len(held), _body(held)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}.") from error
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise BadRequest(f"{path} cannot be read as .{ending}: {error}.") from error


def shifted(refused: RowsRefused, by: int) -> RowsRefused:
    """The same problems, their rows counted from the beginning of the file."""

    def moved(problem: Problem) -> Problem:
        found = _AT.match(problem.pointer)
        if found is None:
            return problem
        return replace(problem, pointer=f"/rows/{int(found[1]) + by}{problem.pointer[found.end() :]}")

    return RowsRefused(list(map(moved, refused.problems)), count=refused.count)


def write(predictions: Iterable[Mapping[str, Any]], to: Path) -> int:
    """Write predictions as CSV, each behind the number of its row (from 0), and tell how many these are.

    They go to a file beside `to`, which takes its place when all are there. Raises BadRequest where it cannot be
    written.
    """
    draft = to.with_name(f".{to.name}.part")
    try:
        with draft.open("w", newline="", encoding="utf-8") as file:
            sheet = Sheet(file)
            sheet.add(predictions)
        draft.replace(to)
    except OSError as error:
        raise BadRequest(f"{to} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return sheet.count


_AT = re.compile(r"/rows/(\d+)")


def _body(rows: list[bytes]) -> bytes:
    return b'{"rows":[' + b",".join(rows) + b"]}"


def _words(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter="\t" if path.name.lower().endswith("tsv") else ",", strict=True)
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names) or not all(names):
            raise ValueError("each column needs a name of its own in the first line")
        for cells in reader:
            if cells and len(cells) != len(names):
                raise ValueError(f"line {reader.line_num} has {len(cells)} cells for {len(names)} columns")
            if cells:
                yield dict(zip(names, cells, strict=True))


def _lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def _parquet(path: Path) -> Iterator[Row]:
    import polars as pl

    whole, at = pl.scan_parquet(path, glob=False), 0
    while (block := whole.slice(at, PIECE).collect()).height:
        at += block.height
        yield from ({name: _plain(cell) for name, cell in row.items()} for row in block.to_dicts())


def _plain(cell: Any) -> Any:
    """A cell as JSON has it."""
    return cell.isoformat() if isinstance(cell, date | datetime) else cell
