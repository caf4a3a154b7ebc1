"""A process of its own for every export: neither torch nor what fails there reaches the service."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ExportRefused, Unavailable
from core.exporting.formats import Format
from core.own_process import BARE, Ended, ask
from core.shelf import Folders

_ENVIRONMENT = {
    **BARE,
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "2",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "LOGNAME": "trainwire",
}
"""No GPU, few threads; torch asks for the user's name, which a container may not know."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an export may take: of main memory, and of time."""

    memory_bytes: int = 8_000_000_000
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Task:
    """A format, the folder of the model's two files, and where the data lies with which the file is tried.

    The format `tensorboard` needs `curves` alone.
    """

    wanted: Format
    model: Path
    folders: Folders
    curves: Mapping[str, Any] | None = None


def make(task: Task, draft: Path, *, limits: Limits) -> None:
    """Write the model in the format that the task wants to `draft`.

    Raises ExportRefused with the reason, Unavailable when it takes too long, RuntimeError for a fault of ours.
    """
    request = {
        "wanted": task.wanted,
        "model": str(task.model.absolute()),
        "draft": str(draft.absolute()),
        "uploads": str(task.folders.uploads.absolute()),
        "curves": task.curves,
        "files": task.folders.files and str(task.folders.files.absolute()),
        "memory_bytes": limits.memory_bytes,
        "seconds": limits.seconds,
        "service": os.getpid(),
    }
    refused = _ask(request, limits).get("refused")
    if refused is not None:
        raise ExportRefused(refused["message"], hint=refused["hint"], param="/format")


def _ask(request: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    """The answer of a fresh process to the request."""
    try:
        ended = ask("core.exporting", request, environment=_ENVIRONMENT, seconds=limits.seconds)
    except TimeoutError:
        raise Unavailable(
            f"The export took more than {limits.seconds:g} s and was given up.",
            hint="Ask again when the machine is less busy, or raise TRAINWIRE_EXPORT_SECONDS.",
        ) from None
    return _answer(ended, limits)


def _answer(ended: Ended, limits: Limits) -> Mapping[str, Any]:
    if ended.code < 0:
        raise ExportRefused(
            f"It ended the process that exports (signal {-ended.code}): it may need more than "
            f"{limits.memory_bytes / 1e9:.1f} GB of memory.",
            hint="TRAINWIRE_EXPORT_MEMORY_BYTES says how much it may take.",
            param="/format",
        )
    if ended.code > 0:
        raise RuntimeError(f"an export failed: {ended.told}")
    answer: Mapping[str, Any] = json.loads(ended.out)
    return answer
