"""The examples that a new job may begin with: each spec of `examples/`, and its sentence from the list beside them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HOUSE = Path(__file__).resolve().parents[2]
_PLACES = (_HOUSE / "trainwire" / "examples", _HOUSE / "examples")
"""Where the wheel keeps them, and a checkout."""
_LIST = "README.md"
_HEADING = re.compile(r"## (?P<heading>.+)")
_ROW = re.compile(r"\| \[(?P<number>\d+)\]\((?P<file>[\w.]+\.json)\) \| (?P<shows>[^|]+) \| (?P<data>[^|]+) \|")


@dataclass(frozen=True, slots=True)
class Example:
    """A spec that runs as it stands, what it shows, and on which data."""

    number: str
    name: str
    shows: str
    data: str
    spec: Mapping[str, Any]


@functools.cache
def gallery() -> Mapping[str, tuple[Example, ...]]:
    """The examples under the headings of their list, in reading order."""
    folder = next(place for place in _PLACES if (place / _LIST).is_file())
    found: dict[str, list[Example]] = {}
    heading = ""
    for line in (folder / _LIST).read_text(encoding="utf-8").splitlines():
        if told := _HEADING.fullmatch(line):
            heading = told["heading"]
        if row := _ROW.match(line):
            found.setdefault(heading, []).append(_example(folder / row["file"], row))
    return {name: tuple(examples) for name, examples in found.items()}


def _example(file: Path, row: re.Match[str]) -> Example:
    spec = json.loads(file.read_text(encoding="utf-8"))
    shows = row["shows"].strip()
    if not shows.startswith("`"):
        shows = shows[0].upper() + shows[1:]
    return Example(row["number"], str(spec["name"]), shows.replace("`", ""), row["data"].strip(), spec)
