"""All jobs and workers at a glance: what is known of them, by the stream of all jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.job import HELD, Status
from core.views import ChangeType, CurvesView, JobView, ProgressView, WorkerView
from trainwire.changes import Change
from trainwire.client import Client

MOST_POINTS = 60
MOST_ENDED = 100
MOST_ACTIVE = 200
MOST_KEPT = 1000
"""So many jobs are kept at most; those that ended first go first."""
ACTIVE = (*sorted(HELD), Status.QUEUED, Status.PAUSED)
_ORDER = {**dict.fromkeys(HELD, 0), Status.QUEUED: 1, Status.PAUSED: 2}


@dataclass
class Curve:
    """The losses of a job's last epochs: of validation, where there is any."""

    epoch: int = 0
    values: deque[float | None] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))

    def add(self, epoch: int, loss: float | None) -> None:
        """An epoch ended, if it is a new one."""
        if epoch > self.epoch:
            self.epoch = epoch
            self.values.append(loss)


@dataclass
class Overview:
    """Jobs by id, their curves and the workers, kept current by the messages of the stream."""

    jobs: dict[str, JobView] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    workers: list[WorkerView] = field(default_factory=list)

    def take(self, change: Change) -> JobView | None:
        """One message; the job as it stands by now, if it told one."""
        job_id = change.job_id or ""
        if change.type is ChangeType.DELETED:
            self.jobs.pop(job_id, None)
            self.curves.pop(job_id, None)
        elif change.type is ChangeType.PROGRESS and job_id in self.jobs:
            progress = ProgressView.model_validate(change.data)
            self.jobs[job_id] = self.jobs[job_id].model_copy(update={"progress": progress})
        elif (job := change.job) is not None:
            self._keep(job)
            return job
        return None

    def fill(self, jobs: Iterable[JobView], curves: Iterable[CurvesView]) -> None:
        """Begin anew with these."""
        self.jobs, self.curves = {}, {}
        for one in curves:
            losses = one.figures["val_loss"]
            shown = losses if any(loss is not None for loss in losses) else one.figures["train_loss"]
            for epoch, loss in zip(one.epochs, shown, strict=True):
                self.curves.setdefault(one.job, Curve()).add(epoch, loss)
        for job in jobs:
            self._keep(job)

    def ordered(self) -> list[JobView]:
        """Those that run, that wait and that are paused, the oldest first; then those that ended, the newest first."""
        active = [job for job in self.jobs.values() if not job.status.ended]
        ended = [job for job in self.jobs.values() if job.status.ended]
        by_end = sorted(ended, key=lambda job: (job.finished_at or job.created_at, job.id), reverse=True)
        return [*sorted(active, key=lambda job: (_ORDER.get(job.status, 0), job.id)), *by_end]

    def count(self, *statuses: Status) -> int:
        """How many of the known jobs have one of these."""
        return sum(job.status in statuses for job in self.jobs.values())

    def _keep(self, job: JobView) -> None:
        self.jobs[job.id] = job
        if job.latest is not None:
            loss = job.latest.train_loss if job.latest.val_loss is None else job.latest.val_loss
            self.curves.setdefault(job.id, Curve()).add(job.latest.epoch, loss)
        if len(self.jobs) > MOST_KEPT:
            for old in self.ordered()[MOST_KEPT:]:
                del self.jobs[old.id]
                self.curves.pop(old.id, None)


def load(client: Client, overview: Overview) -> None:
    """Read what there is: the jobs that have not ended, the last ones of all, and the curves of the first of them."""
    found = {job.id: job for status in ACTIVE for job in client.jobs(status=status, limit=MOST_ACTIVE)}
    found |= {job.id: job for job in client.jobs(limit=MOST_ENDED)}
    overview.workers = client.workers()
    ids = [job.id for job in found.values() if job.latest is not None][:MOST_ENDED]
    overview.fill(found.values(), client.curves(ids, max_points=MOST_POINTS) if ids else [])
