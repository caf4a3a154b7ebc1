"""Following many jobs on one stream: the newest state of each, and every event of those that are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from core.job import EventType
from core.views import ChangeType, JobView
from trainwire.stream import Frame
from trainwire.watching import frames

PATH = "/v1/events"
_OF_MANY = frozenset(ChangeType)


@dataclass(frozen=True, slots=True)
class Change:
    """One message about many jobs; `seq` and `at` are those of an event of a named job.

    `reset` (without a job) says: read again what you show. `cursor` is where `Client.watch_all` can go on later.
    """

    type: ChangeType | EventType
    data: Mapping[str, Any]
    cursor: str
    job_id: str | None = None
    seq: int | None = None
    at: datetime | None = None

    @classmethod
    def of(cls, frame: Frame) -> Change:
        """A message from its wire form."""
        told = frame.data
        kind = ChangeType(told["type"]) if told["type"] in _OF_MANY else EventType(told["type"])
        at = datetime.fromisoformat(told["at"]) if told.get("at") else None
        return cls(kind, told["data"], frame.id, told.get("job"), told.get("seq"), at)

    @property
    def job(self) -> JobView | None:
        """The job's newest state, of a message that tells it."""
        return JobView.model_validate(self.data) if self.type is ChangeType.JOB else None


def follow_all(
    url: str, jobs: Sequence[str] | None, *, headers: Mapping[str, str], cursor: str, patience_s: float
) -> Iterator[Change]:
    """What changes behind `cursor` of all jobs, or of `jobs`; see `Client.watch_all`."""
    if jobs is not None and not jobs:
        return
    path = PATH if jobs is None else f"{PATH}?jobs={','.join(quote(job_id, safe='') for job_id in jobs)}"
    for frame in frames(url, path, headers=headers, last_id=cursor, patience_s=patience_s):
        yield Change.of(frame)
