"""A profile and a refusal as JSON: what passes between processes and lies in the database."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from core.dataset import Profile
from core.errors import DataRefused
from core.job import Problem

_PROFILES = TypeAdapter(Profile)


def to_json(profile: Profile) -> dict[str, Any]:
    """The profile as plain values."""
    plain: dict[str, Any] = _PROFILES.dump_python(profile, mode="json")
    return plain


def from_json(plain: Any) -> Profile:
    """The profile that `to_json` made into plain values."""
    return _PROFILES.validate_python(plain)


def refusal_to_json(refused: DataRefused) -> dict[str, Any]:
    """The refusal as plain values."""
    return {"problems": [(problem.pointer, problem.message) for problem in refused.problems], "count": refused.count}


def refusal_from_json(plain: dict[str, Any]) -> DataRefused:
    """The refusal that `refusal_to_json` made into plain values."""
    return DataRefused([Problem(pointer, message) for pointer, message in plain["problems"]], count=plain["count"])
