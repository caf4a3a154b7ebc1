"""The store's one door: every method is one transaction, and frozen rows come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.dataset import Dataset
from core.events import RunEvent
from core.ids import new_id
from core.job import Artifact, Claim, ErrorInfo, Job, Reason, Status, Worker
from core.room import Room
from core.settings import Settings
from core.store import (
    claiming,
    datasets,
    files,
    fleet,
    probes,
    returning,
    submissions,
    submitting,
    sweeping,
    tidying,
    verbs,
)
from core.store.backend import Backend, Tx
from core.store.databases import open_database
from core.store.datasets import Upload
from core.store.lineage import asked_for
from core.store.reads import Reads
from core.store.recording import Recorder
from core.store.wishes import Created, Once, Told, Wish
from core.usage import Probe

if TYPE_CHECKING:
    from core.spec import JobSpec
    from core.spec.predicting import PredictSpec


class Store(Reads):
    """Jobs, their log, figures and files, the uploads, and the workers, in SQLite or PostgreSQL.

    Every call raises Unavailable when the database cannot answer.
    """

    def __init__(self, database: Backend, settings: Settings) -> None:
        super().__init__(database, settings)
        self._recorder = Recorder(database, settings)

    @classmethod
    def open(cls, url: str, *, settings: Settings | None = None) -> Store:
        """The store at `url`, migrated before by `core.store.schema.upgrade`; raises StartRefused."""
        return cls(open_database(url), settings or Settings())

    def close(self) -> None:
        """Finish the writes that wait and let the connections go."""
        self._database.close()

    def add(self, spec: JobSpec | PredictSpec) -> Job:
        """Queue a job; it is durable when this returns. Raises SpecRefused for what it names and is gone."""
        job_id, asked = new_id("job"), spec.model_dump(mode="json")
        return self._database.write(lambda tx: submitting.add(tx, job_id, asked))

    def create(self, wish: Wish, *, told: Told, once: Once | None = None) -> Created:
        """Queue the job that is wished for, and keep the answer under its Idempotency-Key in the same transaction.

        Raises KeyReused; for a retry or fork also NotFound, Gone, WrongStatus, SpecRefused.
        """
        job_id, asked = new_id("job"), asked_for(wish)
        return self._database.write(lambda tx: submissions.create(tx, job_id, asked, told=told, once=once))

    def pause(self, job_id: str, *, by: str = "user") -> Job:
        """Pause at once or ask the worker to; repeatable; raises NotFound, Gone, WrongStatus."""
        return self._database.write(lambda tx: verbs.pause(tx, job_id, by=by))

    def resume(self, job_id: str, *, by: str = "user") -> Job:
        """Queue a paused job, or take its pause back; repeatable; raises NotFound, Gone, WrongStatus."""
        return self._database.write(lambda tx: verbs.resume(tx, job_id, by=by))

    def cancel(self, job_id: str, *, by: str = "user", force: bool = False) -> Job:
        """Cancel at once or ask the worker to (`force`: by a kill); repeatable; raises NotFound, Gone, WrongStatus."""
        return self._database.write(lambda tx: verbs.cancel(tx, job_id, by=by, force=force))

    def delete(self, job_id: str) -> None:
        """Delete an ended job with all its rows, unless another starts from it; repeatable; NotFound, WrongStatus."""
        self._database.write(lambda tx: verbs.delete(tx, job_id))

    def add_artifact(self, job_id: str, file: Artifact) -> Artifact:
        """Enter a file that was made of an ended job, in the place of one of its name; repeatable.

        It must lie in its place already. Raises NotFound, Gone, WrongStatus.
        """
        return self._database.write(lambda tx: files.add(tx, job_id, file))

    def add_dataset(self, upload: Upload, *, name: str | None = None) -> tuple[Dataset, bool]:
        """The dataset of these bytes, and whether it is new; `name` means it from now on, under a version of its own.

        Its file must lie in its place already: a job may read it at once.
        """
        dataset_id = new_id("ds")
        return self._database.write(lambda tx: datasets.add(tx, dataset_id, upload, name=name))

    def name_dataset(self, sha256: str, *, name: str | None) -> Dataset | None:
        """The dataset of these bytes if there is one; `name` then means it from now on, as with `add_dataset`."""
        return self._database.write(lambda tx: datasets.known(tx, sha256, name=name))

    def remove_dataset(self, dataset_id: str) -> str | None:
        """Delete an upload; repeatable. Its SHA-256, whose file may go now; None when it was deleted before.

        Raises NotFound, and WrongStatus while jobs that have not ended rest on it.
        """
        return self._database.write(lambda tx: datasets.remove(tx, dataset_id))

    def enrol(self, worker: Worker) -> None:
        """Enter a worker as alive."""
        self._database.write(lambda tx: fleet.enrol(tx, worker, lease_s=self._settings.lease_s))

    def retire(self, worker_id: str) -> None:
        """Take a worker out; what it still holds is left to the sweep."""
        self._database.write(lambda tx: fleet.retire(tx, worker_id))

    def claim(self, worker: Worker, *, device: str | None = None, room: Room | None = None) -> Claim | None:
        """Take the best queued job that the worker (or its one `device`) can run; none when that needs more `room`."""
        offer = claiming.Offer(device, room)
        return claiming.take(self._database, worker, offer=offer, lease_s=self._settings.lease_s)

    def ask_probe(self, spec: JobSpec, *, within_s: float) -> str:
        """Have a spec tried out by a worker, for who waits so long; its id."""
        probe_id, asked = new_id("probe"), spec.model_dump(mode="json")
        self._database.write(lambda tx: probes.ask(tx, probe_id, asked, within_s=within_s))
        return probe_id

    def take_probe(self, worker: Worker) -> Probe | None:
        """Claim the oldest trial that the worker can do, if nobody else does it."""
        return probes.take(self._database, worker, lease_s=self._settings.lease_s)

    def keep_probe(self, probe_id: str, worker_id: str) -> bool:
        """Renew the worker's claim on a trial; False once nobody waits for it any more."""
        lease_s = self._settings.lease_s
        return self._database.write(lambda tx: probes.keep(tx, probe_id, worker_id, lease_s=lease_s))

    def return_probe(self, probe_id: str, worker_id: str) -> None:
        """Leave a trial to another worker."""
        self._database.write(lambda tx: probes.give_back(tx, probe_id, worker_id))

    def answer_probe(self, probe_id: str, worker_id: str, told: Mapping[str, Any]) -> None:
        """Tell what came of a trial; who has no claim on it any more tells nobody."""
        self._database.write(lambda tx: probes.answer(tx, probe_id, worker_id, told))

    def drop_probe(self, probe_id: str) -> None:
        """Nobody waits for it any more; repeatable."""
        self._database.write(lambda tx: probes.drop(tx, probe_id))

    def beat(self, worker: Worker, held: Collection[tuple[Claim, float]]) -> None:
        """The worker is alive: renew its entry and the leases of its claims, each with the seconds it ran so far."""
        lease_s = self._settings.lease_s

        def change(tx: Tx) -> None:
            fleet.enrol(tx, worker, lease_s=lease_s)
            claiming.renew(tx, held, lease_s=lease_s)

        self._database.write(change)

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store what a run told; `Finished` ends the job, `Failed` too unless another try may help; raises ClaimLost.

        After an Unavailable tell the same events again, with later ones behind them: none is stored twice.
        """
        return self._recorder.record(claim, events)

    def release(
        self,
        claim: Claim,
        *,
        error: ErrorInfo | None = None,
        reason: Reason | None = Reason.WORKER_DRAINED,
        run_s: float | None = None,
    ) -> Status:
        """Give the job back: stopped (queued for `reason`, unless paused or cancelled) or dead of `error`.

        `run_s` is the time that all attempts ran. Raises ClaimLost.
        """
        back = returning.Back(error, reason, run_s)
        return self._database.write(lambda tx: returning.release(tx, claim, back, self._settings))

    def sweep(self, *, has_space: bool = True) -> list[str]:
        """Take back the jobs whose lease ran out; with `has_space` let go on those that waited for it; ids changed."""
        return sweeping.sweep(self._database, self._settings, has_space=has_space)

    def recover(self) -> list[str]:
        """Take back every held job, when no worker can be alive; returns the ids that changed."""
        return sweeping.recover(self._database, self._settings)

    def tidy_up(self) -> list[str]:
        """Delete the jobs, checkpoints and keys that are kept no longer; the ids whose files must be looked at."""
        return tidying.tidy_up(self._database, self._settings)
