"""Housekeeping removes what nobody knows any more, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from core import housekeeping
from core.errors import Gone, NotFound
from core.housekeeping import Housekeeper
from core.ids import new_id
from core.job import Artifact, Job, Status
from tests.core.test_artifacts import job

LONG_AGO = time.time() - 7200


class Rows:
    """A store with these jobs."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs = {each.id: each for each in jobs}
        self.named: set[str] = set()
        self.retired: list[str] = []
        self.deleted: set[str] = set()
        self.uploads: set[str] = set()

    def job(self, job_id: str) -> Job:
        if job_id in (*self.retired, *self.deleted):
            raise Gone
        if job_id not in self.jobs:
            raise NotFound
        return self.jobs[job_id]

    def named_checkpoints(self, job_id: str) -> set[str]:
        return {path for path in self.named if path.startswith(job_id)}

    def tidy_up(self) -> list[str]:
        return self.retired

    def known_jobs(self, ids: Collection[str]) -> set[str]:
        return set(ids) & set(self.jobs)

    def stored_datasets(self, hashes: Collection[str]) -> set[str]:
        return self.uploads & set(hashes)

    def artifacts(self, job_id: str) -> list[Artifact]:
        assert job_id in self.jobs
        return []

    def deleted_jobs(self, ids: Collection[str]) -> set[str]:
        return set(ids) & self.deleted


def a_job(status: Status = Status.RUNNING, *, attempt: int = 2) -> Job:
    return replace(job(status, attempt=attempt), id=new_id("job"))


def written(root: Path, *parts: str, at: float = LONG_AGO) -> Path:
    """A file, with every folder above it as old as itself."""
    file = root.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    for path in (file, *file.parents):
        if path.is_relative_to(root):
            os.utime(path, (at, at))
    return file


def without(*deleted: str) -> Rows:
    rows = Rows()
    rows.deleted = set(deleted)
    return rows


def test_what_is_left_of_a_deleted_job_goes(tmp_path: Path) -> None:
    deleted = new_id("job")
    written(tmp_path, deleted, "1", "model.json")
    assert Housekeeper(without(deleted), tmp_path).clean() == [deleted]
    assert list(tmp_path.iterdir()) == []
    assert Housekeeper(without(deleted), tmp_path).clean() == []


def test_the_files_of_another_database_stay(tmp_path: Path) -> None:
    """A fresh or restored database on an old folder knows none of its jobs; their weights are not rubbish."""
    file = written(tmp_path, new_id("job"), "1", "model.safetensors")
    begun = written(tmp_path, new_id("job"), "checkpoints", "1", ".000001-00000000.x", "state.pt")
    assert Housekeeper(Rows(), tmp_path).clean() == []
    assert file.exists()
    assert begun.exists()


def test_a_young_folder_may_still_be_written_to(tmp_path: Path) -> None:
    deleted = new_id("job")
    file = written(tmp_path, deleted, "1", "model.json", at=time.time())
    assert Housekeeper(without(deleted), tmp_path).clean() == []
    assert file.exists()


@pytest.mark.parametrize("name", [".trainwire", "cache/iris.npz", "job_x/file", "notes/job.txt", "ds_1/rows"])
def test_nothing_but_the_folders_of_jobs_is_touched(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, *name.split("/"))
    Housekeeper(Rows(), tmp_path).clean()
    assert file.exists()


@pytest.mark.parametrize("status", [Status.RUNNING, Status.SUCCEEDED, Status.PAUSED])
def test_what_a_known_job_owns_stays(tmp_path: Path, status: Status) -> None:
    known = a_job(status)
    rows = Rows(known)
    weights = written(tmp_path, known.id, "2", "model.safetensors")
    kept = written(tmp_path, known.id, "checkpoints", "2", "000001-00000000", "state.pt")
    rows.named = {kept.parent.relative_to(tmp_path).as_posix()}
    assert Housekeeper(rows, tmp_path).clean() == []
    assert weights.exists()
    assert kept.exists()


def test_what_a_dead_attempt_had_begun_goes_and_what_a_live_one_writes_stays(tmp_path: Path) -> None:
    known = a_job()
    dead = written(tmp_path, known.id, "checkpoints", "1", ".000001-00000000.x", "state.pt")
    live = written(tmp_path, known.id, "checkpoints", "2", ".000001-00000000.y", "state.pt")
    Housekeeper(Rows(known), tmp_path).clean()
    assert not dead.exists()
    assert live.exists()


def test_what_the_last_fork_let_go_of_goes(tmp_path: Path) -> None:
    parent = a_job(Status.SUCCEEDED)
    rows = Rows(parent)
    old = written(tmp_path, parent.id, "checkpoints", "2", "000001-00000000", "state.pt")
    rows.named = {old.parent.relative_to(tmp_path).as_posix()}
    Housekeeper(rows, tmp_path).clean()
    assert old.exists()
    rows.named = set()
    Housekeeper(rows, tmp_path).clean()
    assert not old.exists()


def test_a_deleted_job_leaves_only_what_its_forks_go_on_from(tmp_path: Path) -> None:
    gone = a_job(Status.SUCCEEDED)
    rows = Rows(gone)
    rows.retired = [gone.id]
    weights = written(tmp_path, gone.id, "2", "model.safetensors")
    old, forked = (written(tmp_path, gone.id, "checkpoints", "2", f"00000{n}-00000000", "state.pt") for n in (1, 2))
    rows.named = {forked.parent.relative_to(tmp_path).as_posix()}
    assert Housekeeper(rows, tmp_path).clean() == [gone.id]
    assert (weights.exists(), old.exists(), forked.exists()) == (False, False, True)
    del rows.jobs[gone.id]
    rows.retired, rows.deleted = [], {gone.id}
    written(tmp_path, gone.id, "checkpoints", "2", "000002-00000000", "state.pt")
    assert Housekeeper(rows, tmp_path).clean() == [], "found again and again, but nothing is to be done"
    assert forked.exists()


def test_a_finished_attempt_is_tidied_behind(tmp_path: Path) -> None:
    done = a_job(Status.FAILED)
    half = written(tmp_path, done.id, "2", "half")
    late = written(tmp_path, done.id, "checkpoints", "2", "000007-00000000", "state.pt")
    housekeeping.tidy(Rows(done), tmp_path, done.id)
    assert not half.exists()
    assert not late.exists(), "no row names it, and none can any more"
    assert not (tmp_path / done.id).exists()


def test_many_folders_are_looked_at_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_AT_A_TIME", 2)
    deleted = sorted(new_id("job") for _ in range(5))
    for job_id in deleted:
        written(tmp_path, job_id, "1", "file")
    housekeeper = Housekeeper(without(*deleted), tmp_path)
    assert [housekeeper.clean() for _ in range(4)] == [deleted[:2], deleted[2:4], deleted[4:], []]
