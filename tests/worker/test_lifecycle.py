"""Runs that are paused, cancelled, drained, overdue, stalled or cut off, with real children and a real database."""

from __future__ import annotations

import errno
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from core import artifacts
from core.errors import Unavailable, WrongStatus
from core.job import ErrorInfo, EventType, Job, Reason, Status
from tests.worker.place import WITHIN_S, Place, gone, happens

ENDLESS = 100_000


def begun(place: Place, act: str | None = "steps", **given: Any) -> Job:
    """A job that has done an epoch."""
    job = place.submit(act, **{"epochs": ENDLESS, **given})
    return place.when(job, lambda now: now.latest is not None)


def has_status(status: Status) -> Any:
    return lambda now: now.status is status


def epochs(place: Place, job: Job) -> list[int]:
    return [row.epoch for row in place.store.epochs(job.id)]


def weights(place: Place, job: Job) -> list[str]:
    return [file.sha256 for file in place.store.artifacts(job.id) if file.name == "model.safetensors"]


def test_a_paused_job_keeps_a_checkpoint_and_goes_on_from_it(place: Place) -> None:
    place.node()
    job = begun(place)
    pids = place.pids(job)
    place.store.pause(job.id)
    paused = place.when(job, has_status(Status.PAUSED))
    assert paused.status_reason is Reason.PAUSED_BY_USER
    assert gone(pids)
    [kept] = place.store.checkpoints(job.id)
    assert (place.settings.artifacts / kept.path / "state.pt").exists()
    place.store.resume(job.id)
    place.work_bell.ring()
    place.when(job, lambda now: now.attempt == 2 and now.latest is not None and now.latest["epoch"] > kept.epoch)
    place.store.cancel(job.id)
    place.ended(job)
    stored = epochs(place, job)
    assert stored == list(range(1, len(stored) + 1))


def test_a_run_that_was_paused_again_and_again_gives_the_same_figures(place: Place) -> None:
    place.node()
    given = {"epochs": 40, "batch_size": 2}
    undisturbed = place.ended(place.submit(None, **given))
    job = place.submit(None, **given)
    for _ in range(3):
        place.when(job, lambda now: now.status.ended or now.worker_device is not None)
        with suppress(WrongStatus):  # it was quicker
            place.store.pause(job.id)
            place.when(job, lambda now: now.status.ended or now.status is Status.PAUSED)
            place.store.resume(job.id)
        place.work_bell.ring()
    done = place.ended(job)
    assert (done.status, done.inexact) == (Status.SUCCEEDED, None)
    assert done.attempt > 1
    one, other = ([row.figures() for row in place.store.epochs(each.id)] for each in (undisturbed, job))
    assert one == other
    assert weights(place, undisturbed) == weights(place, job)


def test_a_pause_taken_back_too_late_queues_the_job_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.node()
    job = begun(place)
    release = place.store.release

    def late(*args: Any, **given: Any) -> Status:
        place.store.resume(job.id)
        return release(*args, **given)

    with monkeypatch.context() as patch:
        patch.setattr(place.store, "release", late)
        place.store.pause(job.id)
        place.when(job, lambda now: now.attempt == 2)
    again = [change.reason for change in place.store.job(job.id).transitions if change.status is Status.QUEUED]
    assert again[1:] == [None]


def test_a_cancelled_job_keeps_its_checkpoint_and_a_forced_one_dies(place: Place) -> None:
    place.node()
    graceful, forced = begun(place), begun(place, "hangs")
    place.store.cancel(graceful.id)
    assert place.ended(graceful).status is Status.CANCELLED
    assert len(place.store.checkpoints(graceful.id)) == 1
    pids = place.pids(forced)
    place.store.cancel(forced.id, force=True)
    assert gone(pids)
    assert place.ended(forced).status_reason is Reason.CANCELLED_BY_USER


def test_a_drained_node_lets_its_runs_keep_what_they_have(place: Place) -> None:
    first = place.node()
    job = begun(place)
    first.drain()
    back = place.store.job(job.id)
    assert (back.status, back.status_reason) == (Status.QUEUED, Reason.WORKER_DRAINED)
    [kept] = place.store.checkpoints(job.id)
    assert kept.epoch == epochs(place, job)[-1]


def test_an_impatient_signal_ends_a_drain_at_once(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"grace_s": 3600.0})
    node = place.node()
    job = begun(place, "hangs")

    def repeat() -> None:
        assert node._draining.wait(WITHIN_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=repeat).start()
    node.drain()
    assert place.store.job(job.id).status_reason is Reason.WORKER_DRAINED


def test_a_trainer_told_to_end_by_somebody_else_keeps_what_it_has(place: Place) -> None:
    place.node()
    job = begun(place)
    os.kill(place.pids(job)[0], signal.SIGTERM)
    again = place.when(job, lambda now: now.attempt == 2)
    assert again.error is None
    assert len(place.store.checkpoints(job.id)) == 1


def test_a_deadline_stops_the_run_and_says_what_to_change(place: Place) -> None:
    place.node()
    job = place.ended(begun(place, deadline_s=0.3))
    assert (job.status, job.status_reason) == (Status.FAILED, Reason.DEADLINE_EXCEEDED)
    assert job.error is not None
    assert job.error.param == "/deadline_s"
    assert len(place.store.checkpoints(job.id)) == 1, "a retry goes on from there"


def test_a_stalled_run_is_ended_and_tried_again(place: Place) -> None:
    place.node()
    job = begun(place, "hangs", stall_timeout_s=0.3)
    pids = place.pids(job)
    assert gone(pids)
    job = place.when(job, lambda now: now.attempt == 2)
    assert Reason.STALLED in {change.reason for change in job.transitions}
    assert place.ended(job).status_reason is Reason.RETRY_LIMIT


def test_a_run_over_its_memory_says_so_and_the_node_lives_on(place: Place) -> None:
    place.node()
    large = {"model": {"name": "mlp", "hidden": [8192, 8192]}, "resources": {"memory_gb": 0.6}}
    job = place.ended(place.submit(None, **large))
    assert (job.status, job.status_reason, job.attempt) == (Status.FAILED, Reason.OUT_OF_MEMORY, 2)
    assert job.error is not None
    assert job.error.hint
    assert place.ended(place.submit("epochs")).status is Status.SUCCEEDED


class Away:
    """A database that goes away, for everything or for records alone."""

    def __init__(self, place: Place, *names: str) -> None:
        self.asked = threading.Semaphore(0)
        self.patch = pytest.MonkeyPatch()
        for name in names or ("beat", "sweep", "held", "claim", "record", "release"):
            self.patch.setattr(place.store, name, self._fail)

    def _fail(self, *_: object, **__: object) -> NoReturn:
        self.asked.release()
        raise Unavailable("the database is away")

    def __enter__(self) -> Away:
        return self

    def __exit__(self, *_: object) -> None:
        self.patch.undo()


def test_a_run_trains_on_to_its_end_while_the_database_is_away(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"lease_s": 30.0})
    place.node()
    job = begun(place, epochs=50)
    with Away(place) as away:
        assert gone(place.pids(job)), "it goes on and ends"
        assert away.asked.acquire(timeout=WITHIN_S)
        assert place.store.job(job.id).status is Status.RUNNING
    assert place.ended(job).status is Status.SUCCEEDED
    assert epochs(place, job) == [*range(1, 51)]


def test_a_run_that_is_cut_off_for_long_stops_and_leaves_its_slot(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"outage_limit_s": 0.2, "slots": 1})
    node = place.node()
    job = begun(place)
    pids = place.pids(job)
    with Away(place):
        assert gone(pids)
        assert happens(lambda: all(slot["state"] != "busy" for slot in node.slots))
    place.when(job, lambda now: now.attempt == 2)
    assert Reason.LEASE_EXPIRED in {change.reason for change in place.store.job(job.id).transitions}


def test_a_drain_without_a_database_leaves_the_job_to_its_lease(place: Place) -> None:
    node = place.node()
    job = begun(place)
    pids = place.pids(job)
    with Away(place):
        node.drain()
        assert gone(pids)
        assert all(slot["state"] != "busy" for slot in node.slots)
    assert place.store.job(job.id).status is Status.RUNNING
    assert place.store.job(job.id).attempt == 1


def test_whose_database_was_away_sweeps_a_lease_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.settings = place.settings.model_copy(update={"lease_s": 0.5, "heartbeat_s": 0.05})
    swept = threading.Event()

    def sweep(**_: object) -> list[str]:
        swept.set()
        return []

    monkeypatch.setattr(place.store, "sweep", sweep)
    node = place.node()
    assert swept.wait(WITHIN_S), "a fresh process sweeps at once"
    with Away(place, "beat") as away:
        assert away.asked.acquire(timeout=WITHIN_S)
        assert happens(lambda: node._vigil._calm.away)
        swept.clear()
    assert happens(lambda: not node._vigil._calm.away)
    assert not node._vigil._calm.may_judge()
    assert swept.wait(WITHIN_S)


def test_a_full_disk_pauses_a_job_and_space_takes_it_up_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.settings = place.settings.model_copy(update={"slots": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", _refusing(errno.ENOSPC))
        patch.setattr(artifacts, "has_space", lambda _: False)
        place.node()
        job = place.submit("epochs")
        paused = place.when(job, has_status(Status.PAUSED))
        assert paused.status_reason is Reason.STORAGE_FULL
        assert isinstance(paused.error, ErrorInfo)
        assert paused.error.hint
    assert place.ended(job).status is Status.SUCCEEDED


def test_an_unwritable_folder_loses_no_job_and_says_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", _refusing(errno.EACCES))
    place.node()
    job = place.ended(place.submit("epochs"))
    assert (job.status, job.status_reason) == (Status.FAILED, Reason.RETRY_LIMIT)
    assert job.error is not None
    assert "Permission denied" in job.error.message
    assert "TRAINWIRE_ARTIFACTS" in (job.error.hint or "")


def _refusing(number: int) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return refuse


def test_only_the_checkpoints_that_count_stay_on_the_disk(place: Place) -> None:
    place.node()
    job = place.ended(place.submit("keeps", epochs=6))
    named = {kept.path for kept in place.store.checkpoints(job.id)}
    assert len(named) == 2
    root = place.settings.artifacts

    def found() -> set[str]:
        return {path.relative_to(root).as_posix() for path in (root / job.id / "checkpoints").glob("*/*")}

    assert happens(lambda: found() == named), found()


def test_a_job_that_was_deleted_leaves_no_files(place: Place) -> None:
    place.settings = place.settings.model_copy(update={"housekeeping_s": 0.1, "keep_jobs": 1})
    place.store._settings = place.settings
    place.node()
    first = place.ended(place.submit("keeps"))
    second = place.ended(place.submit("keeps"))
    assert happens(lambda: not (place.settings.artifacts / first.id).exists())
    assert len(place.store.checkpoints(second.id)) == 2
    assert place.store.events(second.id, types={EventType.END})
