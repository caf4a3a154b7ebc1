"""A process of its own for one piece of work: what happens there does not reach the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_HOUSE = Path(__file__).resolve().parents[1]
BARE = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(_HOUSE),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""The least of an environment, with no secret of the service."""
_TOLD = 4_000


class Ended(NamedTuple):
    """How a process ended: its exit code, what it answered, and the last of what it complained of."""

    code: int
    out: bytes
    told: str


def ask(module: str, request: Mapping[str, Any], *, environment: Mapping[str, str], seconds: float) -> Ended:
    """Let `python -m module` read the request as JSON; raises TimeoutError when it takes longer than `seconds`."""
    command = [sys.executable, "-P", "-m", module]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as child:  # type: ignore[call-overload]
        try:
            out, told = child.communicate(json.dumps(request).encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            child.kill()
    return Ended(child.returncode, out, told.decode(errors="replace")[-_TOLD:])
