"""A process of its own for every look into a stranger's file: what the file does there does not reach the service."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.dataset import Format, Kind, Profile
from core.errors import DataRefused
from core.intake.limits import Limits
from core.intake.wire import from_json, refusal_from_json
from core.job import Problem
from core.own_process import BARE, Ended, ask

_ENVIRONMENT = {**BARE, "POLARS_MAX_THREADS": "2"}
"""Few threads, whose stacks and heaps count as memory taken."""


def inspect_file(path: Path, *, filename: str, limits: Limits) -> Profile:
    """What is in the file at `path`, which its owner calls `filename`.

    Raises DataRefused with places for what cannot be trained on, RuntimeError when the look itself failed.
    """
    return from_json(_ask(limits, task="inspect", path=str(path), filename=filename))


def first_rows(
    path: Path,
    format: Format,  # noqa: A002
    n: int,
    *,
    kinds: Mapping[str, Kind],
    limits: Limits,
) -> tuple[list[str], list[list[Any]]]:
    """The columns and first `n` rows of a table that passed inspection, read by the `kinds` of its profile.

    Numbers and booleans are such, dates stand as they are written, missing cells are None and a long word is cut. Of
    pictures the file's name and class. Raises as `inspect_file`.
    """
    told = _ask(limits, task="rows", path=str(path), format=format, n=n, kinds=dict(kinds))
    return told["columns"], told["rows"]


def _ask(limits: Limits, **request: Any) -> Any:
    """The answer of a fresh process to the request."""
    asked = {**request, "limits": asdict(limits), "service": os.getpid()}
    try:
        ended = ask("core.intake", asked, environment=_ENVIRONMENT, seconds=limits.seconds)
    except TimeoutError:
        raise _refused(f"Looking into it took more than {limits.seconds:g} s: upload less of it.") from None
    return _answer(ended, limits)


def _answer(ended: Ended, limits: Limits) -> Any:
    if ended.code < 0:
        memory = limits.memory_bytes / 1e9
        raise _refused(
            f"It ended the process that looks into files (signal {-ended.code}): it is damaged, or takes more than "
            f"{memory:.1f} GB of memory to read."
        )
    if ended.code > 0:
        raise RuntimeError(f"the look into a file failed: {ended.told}")
    answer = json.loads(ended.out)
    if "refused" in answer:
        raise refusal_from_json(answer["refused"])
    return answer["found"]


def _refused(message: str) -> DataRefused:
    return DataRefused([Problem("/file", message)])
