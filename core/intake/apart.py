"""A process of its own for every look into a stranger's file: what the file does there does not reach the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.dataset import Format, Kind, Profile
from core.errors import DataRefused
from core.intake.limits import Limits
from core.intake.wire import from_json, refusal_from_json
from core.job import Problem

_HOUSE = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(_HOUSE),
    "PYTHONDONTWRITEBYTECODE": "1",
    "POLARS_MAX_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "1",
}
"""No secret of the service; and few threads, whose stacks and heaps count as memory taken."""


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
    asked = json.dumps({**request, "limits": asdict(limits), "service": os.getpid()}).encode()
    command = [sys.executable, "-P", "-m", "core.intake"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=_ENVIRONMENT, start_new_session=True, **pipes) as child:  # type: ignore[call-overload]
        try:
            out, told = child.communicate(asked, timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            raise _refused(f"Looking into it took more than {limits.seconds:g} s: upload less of it.") from None
        finally:
            child.kill()
    return _answer(child.returncode, out, told, limits)


def _answer(code: int, out: bytes, told: bytes, limits: Limits) -> Any:
    if code < 0:
        memory = limits.memory_bytes / 1e9
        raise _refused(
            f"It ended the process that looks into files (signal {-code}): it is damaged, or takes more than "
            f"{memory:.1f} GB of memory to read."
        )
    if code > 0:
        raise RuntimeError(f"the look into a file failed: {told.decode(errors='replace')[-4000:]}")
    answer = json.loads(out)
    if "refused" in answer:
        raise refusal_from_json(answer["refused"])
    return answer["found"]


def _refused(message: str) -> DataRefused:
    return DataRefused([Problem("/file", message)])
