"""The look into one file, inside the process that was started for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.dataset import Format, Profile
from core.errors import DataRefused
from core.intake.formats import TITLES, format_of
from core.intake.limits import Limits
from core.intake.places import refused
from core.intake.wire import refusal_to_json, to_json


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What was `found`, or how the file was `refused`."""
    limits = Limits(**request["limits"])
    path = Path(request["path"])
    try:
        if request["task"] == "inspect":
            found = to_json(inspect(path, request["filename"], limits))
        else:
            found = dict(zip(("columns", "rows"), _first_rows(path, request, limits), strict=True))
    except DataRefused as told:
        return {"refused": refusal_to_json(told)}
    return {"found": found}


def inspect(path: Path, filename: str, limits: Limits) -> Profile:
    """What is in the file. Raises DataRefused with places."""
    format_ = format_of(path, filename)
    try:
        return _profile(path, format_, limits)
    except MemoryError:
        raise refused(f"it takes more than {limits.memory_bytes / 1e9:.1f} GB of memory to read.") from None


def _profile(path: Path, format_: Format, limits: Limits) -> Profile:
    if format_ == "zip":
        from core.intake import pictures

        return pictures.inspect(path, limits)
    if format_ in {"npz", "npy"}:
        from core.intake import arrays

        return arrays.inspect(path, format_, limits)
    if format_ == "txt":
        from core.intake import texts

        return texts.inspect(path)
    if format_ == "safetensors":
        from core.intake import weights

        return weights.inspect(path)
    return _table(path, format_, limits)


def _table(path: Path, format_: Format, limits: Limits) -> Profile:
    import polars as pl

    from core.intake import lines, plain, typed

    try:
        if format_ in ("parquet", "arrow"):
            rows, columns = typed.inspect(path, limits, arrow=format_ == "arrow")
        elif format_ == "jsonl":
            rows, columns = lines.inspect(path, limits)
        else:
            rows, columns = plain.inspect(path, format_, limits)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise refused(f"it cannot be read as {TITLES[format_]}: {str(error).splitlines()[0][:300]}") from error
    return Profile("table", format_, rows, columns)


def _first_rows(path: Path, request: dict[str, Any], limits: Limits) -> tuple[list[str], list[list[Any]]]:
    if request["format"] == "zip":
        from core.intake import pictures

        return pictures.first_rows(path, limits, request["n"])
    if request["format"] == "txt":
        from core.intake import texts

        return texts.first_rows(path, request["n"])
    from core.intake import reading

    return reading.rows(path, request["format"], request["n"], request["kinds"])
