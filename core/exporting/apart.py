"""A process of its own for every export: neither torch nor what fails there reaches the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ExportRefused, Unavailable
from core.exporting.formats import Format
from core.shelf import Folders

_HOUSE = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(_HOUSE),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "2",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "LOGNAME": "trainwire",
}
"""No secret of the service, no GPU, few threads; torch asks for the user's name, which a container may not know."""
_TOLD = 4_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What an export may take: of main memory, and of time."""

    memory_bytes: int = 8_000_000_000
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Task:
    """A format, the folder of the model's two files, and where the data lies with which the file is tried."""

    wanted: Format
    model: Path
    folders: Folders


def make(task: Task, draft: Path, *, limits: Limits) -> None:
    """Write the model in the format that the task wants to `draft`.

    Raises ExportRefused with the reason, Unavailable when it takes too long, RuntimeError for a fault of ours.
    """
    request = {
        "wanted": task.wanted,
        "model": str(task.model.absolute()),
        "draft": str(draft.absolute()),
        "uploads": str(task.folders.uploads.absolute()),
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
    command = [sys.executable, "-P", "-m", "core.exporting"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=_ENVIRONMENT, start_new_session=True, **pipes) as child:  # type: ignore[call-overload]
        try:
            out, told = child.communicate(json.dumps(request).encode(), timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"The export took more than {limits.seconds:g} s and was given up.",
                hint="Ask again when the machine is less busy, or raise TRAINWIRE_EXPORT_SECONDS.",
            ) from None
        finally:
            child.kill()
    return _answer(child.returncode, out, told, limits)


def _answer(code: int, out: bytes, told: bytes, limits: Limits) -> Mapping[str, Any]:
    if code < 0:
        raise ExportRefused(
            f"It ended the process that exports (signal {-code}): it may need more than "
            f"{limits.memory_bytes / 1e9:.1f} GB of memory.",
            hint="TRAINWIRE_EXPORT_MEMORY_BYTES says how much it may take.",
            param="/format",
        )
    if code > 0:
        raise RuntimeError(f"an export failed: {told.decode(errors='replace')[-_TOLD:]}")
    answer: Mapping[str, Any] = json.loads(out)
    return answer
