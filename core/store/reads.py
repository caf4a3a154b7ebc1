"""The store's door for those who read: jobs, their log, figures, files and checkpoints, and the workers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.checkpoint import Checkpoint
from core.dataset import Dataset
from core.errors import Gone, NotFound
from core.job import Artifact, EpochRow, Event, EventType, Job, Status, Worker
from core.pace import Pace
from core.settings import Settings
from core.starting import Left
from core.store import checkpoints, claiming, curves, datasets, fleet, paces, probes, reading, sources, submissions
from core.store.backend import Backend
from core.store.claiming import Held, Offer
from core.store.curves import Curves
from core.store.datasets import DatasetPage, DatasetQuery
from core.store.paging import JobPage, JobQuery, page
from core.store.reading import Moving, Pulse
from core.store.wishes import Created, Once


class Reads:
    """What the store tells.

    Of what was deleted `job`, `artifact` and `dataset` raise Gone; lists are empty, as of an unknown job.
    """

    in_place: bool
    """Whether reads are so cheap (SQLite, 0.3 ms) that an event loop may do them itself."""

    def __init__(self, database: Backend, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.in_place = database.in_place

    def describe(self) -> str:
        """The database in words, without its password."""
        return self._database.describe()

    def healthy(self) -> None:
        """Return if a write can be made durable now; raises Unavailable."""
        self._database.healthy()

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound, Gone."""
        return self._database.read(lambda tx: reading.job(tx, job_id))

    def jobs(self, query: JobQuery) -> JobPage:
        """A page of jobs; raises BadRequest for a bad cursor."""
        return self._database.read(lambda tx: page(tx, query))

    def known_jobs(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that jobs have."""
        return self._database.read(lambda tx: reading.known(tx, ids))

    def deleted_jobs(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that deleted jobs had."""
        return self._database.read(lambda tx: reading.deleted(tx, ids))

    def position(self, job: Job) -> int | None:
        """The job's place in the queue, 1 is next; None unless queued."""
        if job.status is not Status.QUEUED:
            return None
        return self._database.read(lambda tx: reading.position(tx, job))

    def places(self, *, most: int = 1000) -> dict[str, int]:
        """The places of the first `most` jobs of the whole queue; who waits further back has none here."""
        return self._database.read(lambda tx: reading.places(tx, most=most))

    def waiting_for(self, job: Job) -> str | None:
        """The device or queue that a queued job asks for and no live worker offers."""
        if job.status is not Status.QUEUED:
            return None
        return self._database.read(lambda tx: fleet.waiting_for(tx, job))

    def counts(self) -> dict[Status, int]:
        """How many jobs have each status."""
        return self._database.read(reading.counts)

    def epochs(self, job_id: str, *, after: int = 0, limit: int | None = None) -> list[EpochRow]:
        """The figures of the epochs behind `after`, in order."""
        return self._database.read(lambda tx: reading.epoch_rows(tx, job_id, after=after, limit=limit))

    def curves(self, job_id: str, figures: Sequence[str]) -> Curves:
        """All epochs of the job with these figures alone, as columns."""
        return self._database.read(lambda tx: curves.curves(tx, job_id, figures))

    def events(
        self, job_id: str, *, after: int = 0, limit: int = 1000, types: Collection[EventType] | None = None
    ) -> list[Event]:
        """The job's log behind `after`, in order."""
        return self._database.read(lambda tx: reading.log(tx, job_id, after=after, limit=limit, types=types))

    def pulse(self, job_ids: Collection[str]) -> dict[str, Pulse]:
        """How each of the jobs stands, in one query; unknown and deleted ids are left out."""
        return self._database.read(lambda tx: reading.pulse(tx, job_ids))

    def jobs_by_id(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of the jobs that there are, in one query; at most a few hundred at a time."""
        return self._database.read(lambda tx: reading.several(tx, job_ids))

    def moving(self, *, after: str | None) -> Moving:
        """The jobs that workers hold, and those added behind the job `after` (None: none), however many others."""
        return self._database.read(lambda tx: reading.moving(tx, after))

    def artifacts(self, job_id: str) -> list[Artifact]:
        """The files that the job made."""
        return self._database.read(lambda tx: reading.files(tx, job_id))

    def artifact(self, job_id: str, name: str) -> Artifact:
        """One file that the job made; raises NotFound, Gone."""
        return self._database.read(lambda tx: reading.file(tx, job_id, name))

    def find_left(self, job_id: str) -> Left:
        """How the job stands and the weights that it left, if any; raises NotFound, Gone."""
        return self._database.read(lambda tx: sources.left(tx, job_id))

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """Where the job can go on, the newest first; also those that lie in its parent's folder."""
        return self._database.read(lambda tx: checkpoints.of_job(tx, job_id))

    def named_checkpoints(self, job_id: str) -> set[str]:
        """The folders of checkpoints below `<job_id>/` that a row of any job names: their files must stay."""
        return self._database.read(lambda tx: checkpoints.named(tx, job_id))

    def dataset(self, dataset_id: str) -> Dataset:
        """The upload; raises NotFound, Gone."""
        return self._database.read(lambda tx: datasets.one(tx, dataset_id))

    def find_dataset(self, dataset_id: str) -> Dataset | None:
        """The upload, None where there is none: what a spec is judged by."""
        try:
            return self.dataset(dataset_id)
        except (NotFound, Gone):
            return None

    def datasets(self, query: DatasetQuery) -> DatasetPage:
        """A page of uploads; raises BadRequest for a bad cursor."""
        return self._database.read(lambda tx: datasets.page(tx, query))

    def stored_datasets(self, hashes: Collection[str]) -> set[str]:
        """Those of the SHA-256s that uploads have: their files must stay."""
        return self._database.read(lambda tx: datasets.stored(tx, hashes))

    def answered(self, once: Once) -> Created | None:
        """The answer that was given before to this Idempotency-Key; raises KeyReused."""
        return self._database.read(lambda tx: submissions.answered(tx, once))

    def workers(self) -> list[Worker]:
        """The workers that are alive."""
        return self._database.read(fleet.alive)

    def pace(self, key: str, *, device: str | None) -> Pace | None:
        """What the latest jobs with this key took on the kind of `device` (None: any), if there are any."""
        return self._database.read(lambda tx: paces.pace(tx, key, device=device))

    def baseline_bytes(self) -> int | None:
        """What a training process on a CPU held of late before it had read anything, if there was one."""
        return self._database.read(paces.baseline_bytes)

    def has_work(self, worker: Worker) -> bool:
        """Whether a job waits that the worker can run."""
        return self._database.read(lambda tx: claiming.has_work(tx, worker, Offer()))

    def probe_answer(self, probe_id: str) -> Mapping[str, Any] | None:
        """What came of a trial, `trial` or `error`, once anything did."""
        return self._database.read(lambda tx: probes.answer_to(tx, probe_id))

    def held(self, worker_id: str) -> dict[str, Held]:
        """The jobs the worker holds, by id: attempt, status, and whether to kill the run."""
        return self._database.read(lambda tx: claiming.held(tx, worker_id))
