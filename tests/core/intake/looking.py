"""Looks into small files, here in the process of the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.dataset import Column, Profile
from core.errors import DataRefused
from core.intake.inspection import inspect
from core.intake.limits import Limits
from core.job import Problem


def look(folder: Path, content: bytes | str, *, name: str = "table.csv", limits: Limits | None = None) -> Profile:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, name, limits or Limits())


def column(folder: Path, *cells: str, name: str = "table.csv") -> Column:
    """The column of these cells, beside one that keeps empty cells from being empty rows."""
    profile = look(folder, "\n".join(["a,b", *(f"{cell},1" for cell in cells)]), name=name)
    return profile.columns[0]


def problems(
    folder: Path, content: bytes | str, *, name: str = "table.csv", limits: Limits | None = None
) -> tuple[Problem, ...]:
    with pytest.raises(DataRefused) as refused:
        look(folder, content, name=name, limits=limits)
    assert refused.value.count >= len(refused.value.problems)
    return refused.value.problems


def problem(folder: Path, content: bytes | str, *, name: str = "table.csv", limits: Limits | None = None) -> Problem:
    (only,) = problems(folder, content, name=name, limits=limits)
    return only
