"""Messages about many jobs, as the API tells them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from core.job import EventType
from core.views.page import Page, View


class ChangeType(StrEnum):
    """What a message about many jobs tells, beside the events of those that are named."""

    RESET = "reset"
    JOB = "job"
    DELETED = "deleted"
    PROGRESS = "progress"


class ChangeView(View):
    """One message about many jobs: `data` is the job's `JobView` for `job`, its progress for `progress`.

    Events of named jobs have their `seq` and time; `reset` has no job: read again what is shown.
    """

    type: ChangeType | EventType
    job: str | None = None
    seq: int | None = None
    at: datetime | None = None
    data: dict[str, Any]


class ChangePage(Page[ChangeView]):
    """What changed behind a cursor; `next` is always there: it is where to go on."""

    next: str
