"""The fenced blocks of a page, and whether what a command printed is what the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"(job|ds)_[0-9a-f]{32}")
_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")
_PROGRESS = re.compile(r"event: progress\ndata: .*\n\n")


@dataclass
class Step:
    """A command of a console block, and what the page says it prints."""

    command: str
    shown: list[str] = field(default_factory=list)


def fenced(page: Path) -> list[tuple[str, str]]:
    """Every fenced block: its language and its text."""
    return [(match[1], match[2]) for match in _FENCE.finditer(page.read_text())]


def steps(block: str) -> list[Step]:
    """The commands (`$ `, continued by `> `) of a console block, each with what it prints."""
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ ")))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1].command += "\n" + line.removeprefix("> ")
        else:
            found[-1].shown.append(line)
    return found


def differs(shown: Sequence[str], printed: str) -> str | None:
    """None if `printed` is what is `shown`, but for numbers, ids and what `…` stands for; else where it is not."""
    lines = [_essence(line) for line in _PROGRESS.sub("", printed).strip().splitlines()]
    wanted = [_essence(line) for line in "\n".join(shown).strip().splitlines()]
    while wanted:
        want = wanted.pop(0)
        if want == "…":
            if not wanted:
                return None
            lines = lines[lines.index(wanted[0]) if wanted[0] in lines else len(lines) :]
            while wanted[0] in lines[1:]:
                lines = lines[lines.index(wanted[0], 1) :]
        elif not lines or lines.pop(0) != want:
            return f"the page shows {want!r}, printed was:\n{printed}"
    return f"the page does not show {lines[0]!r}" if lines else None


def _essence(line: str) -> str:
    """A line without what differs from run to run."""
    if line.startswith(("{", "data: {")):
        return json.dumps(_shape(json.loads(line.removeprefix("data: "))))
    return " ".join(_NUMBER.sub("N", _ID.sub("ID", line)).split())


def _shape(value: Any) -> Any:
    """The keys of JSON, without its values; of a list its first element."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    return [_shape(inner) for inner in value[:1]] if isinstance(value, list) else "…"
