"""A claimed job is seen to its end, whatever becomes of its process and of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.artifacts import dataset_file
from core.bell import LocalWatchBell
from core.errors import ClaimLost, Unavailable
from core.events import EpochDone, Finished, RunEvent
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Job, Reason, Status, Worker
from core.room import Room
from core.settings import Settings
from core.shelf import Folders
from core.spec import parse_spec
from core.store import Store
from core.store.schema import upgrade
from core.supervision.bench import Bench, Order
from core.supervision.endings import Exit
from core.supervision.limits import stop_what_ended
from core.supervision.runner import chosen, work_one
from core.supervision.runs import Run, Runs, Stop

WORKER = Worker(id="worker_1", name="here", devices=("cpu",), slots=1, queues=("cpu",))
EPOCH = EpochDone(EpochRow(1, 0.5, None, {}, 0.1, 0.01, 100.0, 0.0), best=True)
FINISHED = Finished(Reason.COMPLETED, (Artifact("model.json", "model.json", "application/json", 2, "0"),))

Told = Sequence[RunEvent] | Callable[[], Sequence[RunEvent]]


class ChildFake:
    """Tells what it was given, batch by batch, and ends with `exit_code`."""

    def __init__(self, *told: Told, exit_code: int | None = 0, starved: bool = False) -> None:
        self.kills = self.asked = self.pings = 0
        self._starved = starved
        self.closed = False
        self._told = iter(told)
        self._exit_code = exit_code

    def read(self) -> Sequence[RunEvent] | None:
        told = next(self._told, None)
        return told() if callable(told) else told

    def kill(self) -> None:
        self.kills += 1

    def ask_stop(self) -> None:
        self.asked += 1

    def ping(self) -> None:
        self.pings += 1

    def close(self) -> Exit:
        self.closed = True
        return Exit(self._exit_code, starved=self._starved)


class LauncherFake:
    """Hands out one prepared child and keeps its order."""

    def __init__(self, child: ChildFake | None) -> None:
        self.child = child
        self.order: Order | None = None

    def launch(self, order: Order) -> ChildFake:
        self.order = order
        if self.child is None:
            raise Unavailable("No training process could be started.")
        (order.folder / "model.json").write_text("{}")
        return self.child


class SeatFake:
    """The only slot of a worker, or the first of several."""

    def __init__(self, slots: int = 1, device: str = "cpu") -> None:
        self.slots = tuple(range(slots))
        self.devices = tuple(device.format(slot) for slot in self.slots)

    def claim(self, take: Callable[[Room], Claim | None]) -> Claim | None:
        return take(Room(len(self.slots), len(self.slots)))


class Flaky:
    """A store whose `record` does what the test says before, and after, it is called."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before: Iterator[Exception | None] = iter(())
        self.after: Iterator[Exception | None] = iter(())

    def claim(self, worker: Worker, *, device: str | None = None, room: Room | None = None) -> Claim | None:
        return self._store.claim(worker, device=device, room=room)

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        _raise(self.before)
        status = self._store.record(claim, events)
        _raise(self.after)
        return status

    def release(
        self,
        claim: Claim,
        *,
        error: ErrorInfo | None = None,
        reason: Reason | None = None,
        run_s: float | None = None,
    ) -> Status:
        return self._store.release(claim, error=error, reason=reason, run_s=run_s)

    def job(self, job_id: str) -> Job:
        return self._store.job(job_id)

    def named_checkpoints(self, job_id: str) -> set[str]:
        return self._store.named_checkpoints(job_id)


def _raise(errors: Iterator[Exception | None]) -> None:
    error = next(errors, None)
    if error is not None:
        raise error


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/trainwire.db"
    upgrade(url)
    made = Store.open(url, settings=Settings(max_attempts=2))
    yield made
    made.close()


@pytest.fixture
def job(store: Store) -> Job:
    return store.add(parse_spec({"dataset": "iris", "model": "linear"}))


@pytest.fixture
def flaky(store: Store) -> Flaky:
    return Flaky(store)


@pytest.fixture
def run(flaky: Flaky, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    monkeypatch.setattr("core.supervision.delivery._RETRY_S", 0.0)

    def run_one(child: ChildFake | None) -> Bench:
        settings = Settings(artifacts=tmp_path / "artifacts", files=tmp_path / "files")
        bench = Bench(flaky, LauncherFake(child), LocalWatchBell(), settings, Runs())
        assert work_one(bench, WORKER, SeatFake())
        assert bench.runs.all() == ()
        return bench

    return run_one


def test_without_a_job_there_is_nothing_to_do(store: Store, tmp_path: Path) -> None:
    bench = Bench(store, LauncherFake(None), LocalWatchBell(), Settings(artifacts=tmp_path), Runs())
    assert not work_one(bench, WORKER, SeatFake())


def test_a_run_is_recorded_and_its_files_are_kept(run: Callable[..., Bench], store: Store, job: Job) -> None:
    child = ChildFake([EPOCH], [], [FINISHED])
    bench = run(child)
    assert store.job(job.id).status is Status.SUCCEEDED
    assert child.closed
    [file] = store.artifacts(job.id)
    assert (bench.root / file.path).read_text() == "{}"


def test_what_a_child_tells_is_recorded_once_the_database_is_back(
    run: Callable[..., Bench], flaky: Flaky, store: Store, job: Job
) -> None:
    flaky.before = iter([Unavailable("away"), Unavailable("away"), None])
    run(ChildFake([EPOCH, FINISHED]))
    assert store.job(job.id).status is Status.SUCCEEDED
    assert [row.epoch for row in store.epochs(job.id)] == [1]


def test_an_ending_whose_answer_is_lost_keeps_its_files(
    run: Callable[..., Bench], flaky: Flaky, store: Store, job: Job
) -> None:
    flaky.after = iter([Unavailable("the connection broke while committing")])
    bench = run(ChildFake([EPOCH, FINISHED]))
    assert store.job(job.id).status is Status.SUCCEEDED
    [file] = store.artifacts(job.id)
    assert (bench.root / file.path).exists()


def test_who_lost_the_claim_leaves_quietly(run: Callable[..., Bench], store: Store, job: Job) -> None:
    def overtaken() -> Sequence[RunEvent]:
        store.recover()
        return [EPOCH, FINISHED]

    child = ChildFake(overtaken)
    bench = run(child)
    assert child.closed
    assert (store.job(job.id).status, store.epochs(job.id)) == (Status.QUEUED, [])
    assert not (bench.root / job.id).exists()


@pytest.mark.parametrize(
    ("exit_code", "reason", "words"),
    [
        (-9, Reason.KILLED_BY_SIGNAL, "SIGKILL"),
        (-250, Reason.KILLED_BY_SIGNAL, "signal 250"),
        (1, Reason.INTERNAL_ERROR, "exited with code 1"),
    ],
)
def test_a_child_that_dies_costs_an_attempt(
    run: Callable[..., Bench], store: Store, job: Job, *, exit_code: int, reason: Reason, words: str
) -> None:
    bench = run(ChildFake([EPOCH], exit_code=exit_code))
    once = store.job(job.id)
    assert (once.status, once.status_reason) == (Status.QUEUED, reason)
    assert not (bench.root / job.id).exists()
    run(ChildFake(exit_code=exit_code))
    twice = store.job(job.id)
    assert twice.status_reason is Reason.RETRY_LIMIT
    assert twice.error is not None
    assert words in twice.error.message


def test_a_child_is_told_where_uploads_and_files_lie(run: Callable[..., Bench], job: Job) -> None:
    bench = run(ChildFake([EPOCH, FINISHED]))
    assert job.id
    assert isinstance(bench.launcher, LauncherFake)
    assert bench.launcher.order is not None
    uploads = dataset_file(bench.root, "a" * 64).parent
    assert bench.launcher.order.datasets == Folders(uploads, bench.root.parent / "files", bench.root)


def test_a_job_without_a_process_goes_back(run: Callable[..., Bench], store: Store, job: Job) -> None:
    run(None)
    assert (store.job(job.id).status, store.job(job.id).status_reason) == (Status.QUEUED, Reason.INTERNAL_ERROR)


def test_a_file_outside_the_runs_folder_is_refused(run: Callable[..., Bench], store: Store, job: Job) -> None:
    bad = Finished(Reason.COMPLETED, (Artifact("passwd", "../../passwd", "text/plain", 1, "0"),))
    run(ChildFake([bad]))
    assert store.job(job.id).status is Status.QUEUED
    assert store.artifacts(job.id) == []


def test_a_cancel_that_comes_while_it_records_ends_the_run(run: Callable[..., Bench], store: Store, job: Job) -> None:
    def cancelled() -> Sequence[RunEvent]:
        store.cancel(job.id)
        return [EPOCH]

    child = ChildFake(cancelled, exit_code=-9)
    run(child)
    assert child.asked
    assert store.job(job.id).status is Status.CANCELLED


def test_a_run_stopped_before_its_process_came_kills_it_at_once() -> None:
    run = Run(_claim())
    run.stop(Stop.DRAINED)
    child = ChildFake()
    run.attach(child)
    assert child.kills == 1


def test_a_process_that_drains_starts_no_run() -> None:
    runs = Runs()
    runs.close()
    late = Run(_claim())
    runs.add(late)
    assert late.stopped is Stop.DRAINED


def test_runs_are_stopped_for_what_the_database_says() -> None:
    held = {
        "mine": (1, Status.RUNNING, False),
        "paused": (1, Status.PAUSING, False),
        "cancelled": (1, Status.CANCELLING, False),
        "forced": (1, Status.CANCELLING, True),
        "taken": (2, Status.RUNNING, False),
    }
    runs = {name: Run(_claim(name)) for name in (*held, "swept")}
    stop_what_ended(runs.values(), held)
    stops = (None, Stop.PAUSED, Stop.CANCELLED, Stop.FORCED, Stop.LOST, Stop.LOST)
    assert tuple(run.stopped for run in runs.values()) == stops


@pytest.mark.parametrize(
    ("wanted", "own", "device"),
    [
        ("auto", "cuda:1", "cuda:1"),
        ("cuda", "cuda:1", "cuda:1"),
        ("cuda:0", "cuda:1", "cuda:0"),
        ("cpu", "cuda:1", "cpu"),
        ("auto", "cpu", "cpu"),
        ("cuda", "cpu", "cuda"),
    ],
)
def test_a_slots_own_device_is_taken_where_the_spec_leaves_the_choice(wanted: str, own: str, device: str) -> None:
    assert chosen(wanted, own) == device


def test_a_lost_claim_stays_lost() -> None:
    run = Run(_claim())
    run.stop(Stop.DRAINED)
    run.stop(Stop.LOST)
    run.stop(Stop.CANCELLED)
    assert run.stopped is Stop.LOST
    assert str(ClaimLost()) == "Another worker owns this run now."


def _claim(job_id: str = "job") -> Claim:
    return Claim(job_id=job_id, attempt=1, spec={}, device="auto")
