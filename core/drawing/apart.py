"""A process of its own for every picture: half a second of matplotlib, of which nothing stays in the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from core.errors import Unavailable
from core.own_process import BARE, ask

PACKAGE = "matplotlib"
EXTRA = "report"
"""What brings the package."""
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_WITHIN_S = 60.0
_ENVIRONMENT = {**BARE, "SOURCE_DATE_EPOCH": "0"}
"""The same picture on every day."""
_KEPT = ("HOME", "TMPDIR")
"""Where the package keeps what it found out of the machine's fonts."""


def draw(report: Mapping[str, Any], *, figure: str, format: str) -> bytes:  # noqa: A002  (its name on the wire)
    """The picture named `figure` of a report, as `svg` or `png`: the same bytes for the same report.

    Raises Unavailable when it takes longer than a minute, RuntimeError when drawing failed.
    """
    environment = {**_ENVIRONMENT, **{name: os.environ[name] for name in _KEPT if name in os.environ}}
    request = {"report": dict(report), "figure": figure, "format": format}
    try:
        ended = ask("core.drawing", request, environment=environment, seconds=_WITHIN_S)
    except TimeoutError:
        raise Unavailable(f"The picture took more than {_WITHIN_S:g} s; ask again in a moment.") from None
    if ended.code:
        raise RuntimeError(f"drawing {figure} failed: {ended.told}")
    return ended.out
