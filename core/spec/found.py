"""A spec with numbers only: those that its run found where it says "auto"."""

from __future__ import annotations

from collections.abc import Mapping

from core.spec.auto import AUTO, AUTOS
from core.spec.job_spec import JobSpec, parse_spec


def autos(spec: JobSpec) -> tuple[str, ...]:
    """The fields that say "auto": their numbers are found when the run begins."""
    return tuple(field for field in AUTOS if getattr(spec, field) == AUTO)


def with_numbers(spec: JobSpec, numbers: Mapping[str, float]) -> JobSpec:
    """`spec` with `numbers` where it says "auto"; raises SpecRefused when they do not fit the rest of it."""
    found = {field: number for field, number in numbers.items() if field in autos(spec)}
    return parse_spec({**spec.model_dump(mode="json"), **found}) if found else spec
