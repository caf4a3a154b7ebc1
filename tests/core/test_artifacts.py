"""The artifacts folder: marked by the first process, one folder for each attempt."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from core import artifacts
from core.errors import RunFailed, StartRefused, StorageFull
from core.job import Artifact, Claim, Job, Status


def claim(attempt: int) -> Claim:
    return Claim(job_id="job_1", attempt=attempt, spec={}, device="auto")


def job(status: Status, *, attempt: int) -> Job:
    return Job(
        id="job_1",
        name="",
        status=status,
        status_reason=None,
        spec={},
        attempt=attempt,
        version=1,
        queue=None,
        device="auto",
        progress=None,
        latest=None,
        best=None,
        error=None,
        labels={},
        parent=None,
        worker=None,
        worker_device=None,
        created_at=datetime.now(UTC),
        started_at=None,
        finished_at=None,
    )


def test_a_marked_folder_is_seen(tmp_path: Path) -> None:
    artifacts.mark(tmp_path / "a" / "b")
    artifacts.see_marker(tmp_path / "a" / "b")
    artifacts.mark(tmp_path / "a" / "b")


def test_an_unmarked_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="TRAINWIRE_ARTIFACTS"):
        artifacts.see_marker(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartRefused, match="cannot be written"):
        artifacts.mark(tmp_path / "file" / "artifacts")


def test_an_attempt_removes_what_earlier_ones_left_and_leaves_later_ones_alone(tmp_path: Path) -> None:
    first, third = artifacts.attempt_folder(tmp_path, claim(1)), artifacts.attempt_folder(tmp_path, claim(3))
    assert not first.exists()
    late = artifacts.attempt_folder(tmp_path, claim(2))
    assert late.exists()
    assert third.exists()


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        (Status.RUNNING, ["2", "3"]),
        (Status.CANCELLING, ["2", "3"]),
        (Status.SUCCEEDED, ["2", "3"]),
        (Status.QUEUED, ["3"]),
        (Status.FAILED, ["3"]),
    ],
)
def test_tidying_keeps_what_is_at_work_what_succeeded_and_what_came_meanwhile(
    tmp_path: Path, status: Status, kept: list[str]
) -> None:
    for attempt in ("1", "2", "3"):
        (tmp_path / "job_1" / attempt).mkdir(parents=True)
    artifacts.tidy(tmp_path, job(status, attempt=2))
    assert sorted(folder.name for folder in (tmp_path / "job_1").iterdir()) == kept


def test_nothing_is_left_of_a_job_that_has_no_attempt_any_more(tmp_path: Path) -> None:
    artifacts.attempt_folder(tmp_path, claim(1))
    artifacts.tidy(tmp_path, job(Status.CANCELLED, attempt=1))
    assert list(tmp_path.iterdir()) == []
    artifacts.tidy(tmp_path, job(Status.CANCELLED, attempt=1))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x"])
def test_an_artifact_stays_in_its_runs_folder(path: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        artifacts.placed(claim(1), [Artifact("x", path, "text/plain", 1, "0")])


def test_an_artifact_is_placed_under_its_job_and_attempt() -> None:
    [placed] = artifacts.placed(claim(2), [Artifact("x", "x", "text/plain", 1, "0")])
    assert placed.path == "job_1/2/x"


def test_a_full_or_unwritable_disk_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailed) as refused:
        artifacts.attempt_folder(tmp_path / "file", claim(1))
    assert refused.value.hint
    assert "TRAINWIRE_ARTIFACTS" in refused.value.hint

    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(StorageFull, match="full"):
        artifacts.attempt_folder(tmp_path, claim(1))


@pytest.mark.parametrize(
    ("total", "free", "space"),
    [(10**12, 65 << 20, True), (10**12, 63 << 20, False), (40 << 20, 5 << 20, True), (40 << 20, 3 << 20, False)],
)
def test_there_is_space_again_when_a_checkpoint_may_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, space: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(total, total - free, free))
    assert artifacts.has_space(tmp_path) is space


def test_a_folder_that_is_not_there_has_no_space(tmp_path: Path) -> None:
    assert not artifacts.has_space(tmp_path / "nowhere")
