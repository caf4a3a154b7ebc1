"""Pages of jobs: what is asked for, and opaque cursors that cost the same however long the history is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from core.errors import BadRequest
from core.ids import is_id
from core.job import Job, Status


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: newest first, or oldest first with `ascending`; `after` is a page's `next`."""

    limit: int = 50
    after: str | None = None
    statuses: Collection[Status] = ()
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, and the cursor of the page behind them (None: these are the last)."""

    rows: tuple[Job, ...]
    next: str | None


def cursor(job_id: str) -> str:
    """The opaque text that stands for "after this job"."""
    return base64.urlsafe_b64encode(job_id.encode()).decode().rstrip("=")


def place(text: str) -> str:
    """The job id that a cursor stands for; raises BadRequest for a text that is none."""
    try:
        job_id = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        job_id = ""
    if not is_id(job_id, kind="job"):
        message = f"{text[:80]!r} is no cursor; take it from a page's `next`."
        raise BadRequest(message, param="after")
    return job_id
