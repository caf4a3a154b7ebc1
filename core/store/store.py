"""The store's one door: every method is one transaction, and frozen rows come back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from core.events import RunEvent
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Event, EventType, Job, Status, Worker
from core.settings import Settings
from core.store.paging import JobPage, JobQuery
from core.store.reading import Pulse

if TYPE_CHECKING:
    from core.spec import JobSpec


class Store:
    """Jobs, their log, figures and files, and the workers, in SQLite or PostgreSQL.

    Every call raises Unavailable when the database cannot answer.
    """

    in_place: bool
    """Whether reads are so cheap (SQLite, 0.3 ms) that an event loop may do them itself."""

    @classmethod
    def open(cls, url: str, *, settings: Settings | None = None) -> Store:
        """The store at `url`, migrated before by `core.store.schema.upgrade`; raises StartRefused."""
        raise NotImplementedError

    def close(self) -> None:
        """Finish the writes that wait and let the connections go."""
        raise NotImplementedError

    def describe(self) -> str:
        """The database in words, without its password."""
        raise NotImplementedError

    def healthy(self) -> None:
        """Return if a write can be made durable now; raises Unavailable."""
        raise NotImplementedError

    def add(self, spec: JobSpec) -> Job:
        """Queue a job; it is durable when this returns."""
        raise NotImplementedError

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound."""
        raise NotImplementedError

    def jobs(self, query: JobQuery) -> JobPage:
        """A page of jobs; raises BadRequest for a bad cursor."""
        raise NotImplementedError

    def position(self, job: Job) -> int | None:
        """The job's place in the queue, 1 is next; None unless queued."""
        raise NotImplementedError

    def waiting_for(self, job: Job) -> str | None:
        """The device or queue that a queued job asks for and no live worker offers."""
        raise NotImplementedError

    def counts(self) -> dict[Status, int]:
        """How many jobs have each status."""
        raise NotImplementedError

    def cancel(self, job_id: str, *, by: str = "user") -> Job:
        """Cancel at once or ask the worker to; repeatable; raises NotFound, WrongStatus."""
        raise NotImplementedError

    def epochs(self, job_id: str, *, after: int = 0, limit: int | None = None) -> list[EpochRow]:
        """The figures of the epochs behind `after`, in order."""
        raise NotImplementedError

    def events(
        self, job_id: str, *, after: int = 0, limit: int = 1000, types: Collection[EventType] | None = None
    ) -> list[Event]:
        """The job's log behind `after`, in order."""
        raise NotImplementedError

    def pulse(self, job_ids: Collection[str]) -> dict[str, Pulse]:
        """How each of the jobs stands, in one query; unknown ids are left out."""
        raise NotImplementedError

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The files that the job made."""
        raise NotImplementedError

    def artifact(self, job_id: str, name: str) -> Artifact:
        """One file that the job made; raises NotFound."""
        raise NotImplementedError

    def workers(self) -> list[Worker]:
        """The workers that are alive."""
        raise NotImplementedError

    def enrol(self, worker: Worker) -> None:
        """Enter a worker as alive."""
        raise NotImplementedError

    def retire(self, worker_id: str) -> None:
        """Take a worker out; what it still holds is left to the sweep."""
        raise NotImplementedError

    def claim(self, worker: Worker, *, device: str | None = None) -> Claim | None:
        """Take the best queued job that the worker (or its one `device`) can run."""
        raise NotImplementedError

    def beat(self, worker: Worker, claims: Collection[Claim]) -> None:
        """The worker is alive: renew its entry and the leases of its claims."""
        raise NotImplementedError

    def held(self, worker_id: str) -> dict[str, tuple[int, Status]]:
        """The jobs the worker holds: attempt and status by job id."""
        raise NotImplementedError

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store what a run told; `Finished` and `Failed` end the job; raises ClaimLost."""
        raise NotImplementedError

    def release(self, claim: Claim, *, error: ErrorInfo | None = None) -> Status:
        """Give the job back: drained without an error, else one failure more; raises ClaimLost."""
        raise NotImplementedError

    def sweep(self) -> list[str]:
        """Take back the jobs whose lease ran out; returns the ids that changed."""
        raise NotImplementedError

    def recover(self) -> list[str]:
        """Take back every held job, when no worker can be alive; returns the ids that changed."""
        raise NotImplementedError
