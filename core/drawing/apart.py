"""A process of its own for every picture: half a second of matplotlib, of which nothing stays in the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import Unavailable

PACKAGE = "matplotlib"
EXTRA = "report"
"""What brings the package."""
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_WITHIN_S = 60.0
_HOUSE = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(_HOUSE),
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "SOURCE_DATE_EPOCH": "0",
}
"""No secret of the service, and the same picture on every day."""


def draw(report: Mapping[str, Any], *, figure: str, format: str) -> bytes:  # noqa: A002  (its name on the wire)
    """The picture named `figure` of a report, as `svg` or `png`: the same bytes for the same report.

    Raises Unavailable when it takes longer than a minute, RuntimeError when drawing failed.
    """
    asked = json.dumps({"report": dict(report), "figure": figure, "format": format}).encode()
    environment = {**_ENVIRONMENT, **{name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "core.drawing"],
            input=asked,
            capture_output=True,
            env=environment,
            timeout=_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"The picture took more than {_WITHIN_S:g} s; ask again in a moment.") from None
    if done.returncode:
        raise RuntimeError(f"drawing {figure} failed: {done.stderr.decode(errors='replace')[-4000:]}")
    return done.stdout
