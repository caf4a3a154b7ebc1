"""The store's one door: every method is one transaction, and frozen rows come back."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from core.errors import Unavailable
from core.events import RunEvent
from core.ids import new_id
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Event, EventType, Job, Status, Worker
from core.settings import Settings
from core.store import claiming, fleet, reading, recording, returning, submitting
from core.store.backend import Backend, Tx
from core.store.databases import open_database
from core.store.paging import JobPage, JobQuery, page
from core.store.reading import Pulse

if TYPE_CHECKING:
    from core.spec import JobSpec

_log = logging.getLogger(__name__)


class Store:
    """Jobs, their log, figures and files, and the workers, in SQLite or PostgreSQL.

    Every call raises Unavailable when the database cannot answer.
    """

    in_place: bool
    """Whether reads are so cheap (SQLite, 0.3 ms) that an event loop may do them itself."""

    def __init__(self, database: Backend, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.in_place = database.in_place

    @classmethod
    def open(cls, url: str, *, settings: Settings | None = None) -> Store:
        """The store at `url`, migrated before by `core.store.schema.upgrade`; raises StartRefused."""
        return cls(open_database(url), settings or Settings())

    def close(self) -> None:
        """Finish the writes that wait and let the connections go."""
        self._database.close()

    def describe(self) -> str:
        """The database in words, without its password."""
        return self._database.describe()

    def healthy(self) -> None:
        """Return if a write can be made durable now; raises Unavailable."""
        self._database.healthy()

    def add(self, spec: JobSpec) -> Job:
        """Queue a job; it is durable when this returns."""
        job_id = new_id("job")
        return self._database.write(lambda tx: submitting.add(tx, job_id, spec))

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound."""
        return self._database.read(lambda tx: reading.job(tx, job_id))

    def jobs(self, query: JobQuery) -> JobPage:
        """A page of jobs; raises BadRequest for a bad cursor."""
        return self._database.read(lambda tx: page(tx, query))

    def position(self, job: Job) -> int | None:
        """The job's place in the queue, 1 is next; None unless queued."""
        if job.status is not Status.QUEUED:
            return None
        return self._database.read(lambda tx: reading.position(tx, job))

    def waiting_for(self, job: Job) -> str | None:
        """The device or queue that a queued job asks for and no live worker offers."""
        if job.status is not Status.QUEUED:
            return None
        return self._database.read(lambda tx: fleet.waiting_for(tx, job))

    def counts(self) -> dict[Status, int]:
        """How many jobs have each status."""
        return self._database.read(reading.counts)

    def cancel(self, job_id: str, *, by: str = "user") -> Job:
        """Cancel at once or ask the worker to; repeatable; raises NotFound, WrongStatus."""
        return self._database.write(lambda tx: submitting.cancel(tx, job_id, by=by))

    def epochs(self, job_id: str, *, after: int = 0, limit: int | None = None) -> list[EpochRow]:
        """The figures of the epochs behind `after`, in order."""
        return self._database.read(lambda tx: reading.epoch_rows(tx, job_id, after=after, limit=limit))

    def events(
        self, job_id: str, *, after: int = 0, limit: int = 1000, types: Collection[EventType] | None = None
    ) -> list[Event]:
        """The job's log behind `after`, in order."""
        return self._database.read(lambda tx: reading.log(tx, job_id, after=after, limit=limit, types=types))

    def pulse(self, job_ids: Collection[str]) -> dict[str, Pulse]:
        """How each of the jobs stands, in one query; unknown ids are left out."""
        return self._database.read(lambda tx: reading.pulse(tx, job_ids))

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The files that the job made."""
        return self._database.read(lambda tx: reading.files(tx, job_id))

    def artifact(self, job_id: str, name: str) -> Artifact:
        """One file that the job made; raises NotFound."""
        return self._database.read(lambda tx: reading.file(tx, job_id, name))

    def workers(self) -> list[Worker]:
        """The workers that are alive."""
        return self._database.read(fleet.alive)

    def enrol(self, worker: Worker) -> None:
        """Enter a worker as alive."""
        self._database.write(lambda tx: fleet.enrol(tx, worker, lease_s=self._settings.lease_s))

    def retire(self, worker_id: str) -> None:
        """Take a worker out; what it still holds is left to the sweep."""
        self._database.write(lambda tx: fleet.retire(tx, worker_id))

    def claim(self, worker: Worker, *, device: str | None = None) -> Claim | None:
        """Take the best queued job that the worker (or its one `device`) can run."""
        if not self._database.read(lambda tx: claiming.has_work(tx, worker, device=device)):
            return None
        lease_s = self._settings.lease_s
        return self._database.write(lambda tx: claiming.claim(tx, worker, device=device, lease_s=lease_s))

    def beat(self, worker: Worker, claims: Collection[Claim]) -> None:
        """The worker is alive: renew its entry and the leases of its claims."""
        lease_s = self._settings.lease_s

        def change(tx: Tx) -> None:
            fleet.enrol(tx, worker, lease_s=lease_s)
            claiming.renew(tx, claims, lease_s=lease_s)

        self._database.write(change)

    def held(self, worker_id: str) -> dict[str, tuple[int, Status]]:
        """The jobs the worker holds: attempt and status by job id."""
        return self._database.read(lambda tx: claiming.held(tx, worker_id))

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store what a run told; `Finished` and `Failed` end the job; raises ClaimLost."""
        cap = self._settings.max_log_lines
        return self._database.write(lambda tx: recording.record(tx, claim, events, max_log_lines=cap))

    def release(self, claim: Claim, *, error: ErrorInfo | None = None) -> Status:
        """Give the job back: drained without an error, else one failure more; raises ClaimLost."""
        limit = self._settings.max_attempts
        return self._database.write(lambda tx: returning.release(tx, claim, error=error, max_attempts=limit))

    def sweep(self) -> list[str]:
        """Take back the jobs whose lease ran out; returns the ids that changed."""
        if self._database.read(fleet.anyone_forgotten):
            self._database.write(fleet.forget)
        return self._take_back(every=False)

    def recover(self) -> list[str]:
        """Take back every held job, when no worker can be alive; returns the ids that changed."""
        self._database.write(fleet.forget_all)
        return self._take_back(every=True)

    def _take_back(self, *, every: bool) -> list[str]:
        """One transaction a job, so that a broken row keeps no other from coming back."""
        found = self._database.read(lambda tx: returning.expired(tx, every=every))
        return [job_id for job_id in found if self._took_back(job_id, every=every)]

    def _took_back(self, job_id: str, *, every: bool) -> bool:
        limit = self._settings.max_attempts
        try:
            return self._database.write(lambda tx: returning.take_back(tx, job_id, every=every, max_attempts=limit))
        except (SQLAlchemyError, Unavailable):
            _log.exception("Job %s could not be taken back.", job_id)
            return False
