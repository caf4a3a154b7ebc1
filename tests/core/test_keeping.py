"""Checkpoints lie where their rows say, and only what no row names may go."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core import keeping
from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.job import Claim

JOB = "job_1"


def checkpoint(path: str) -> Checkpoint:
    return Checkpoint("ckpt", path, 1, 0, Occasion.TIME, (CheckpointFile("state.pt", 1, "0"),))


def claim(attempt: int = 2) -> Claim:
    return Claim(JOB, attempt, {}, "auto", checkpoints=(checkpoint(f"{JOB}/checkpoints/1/000001-00000000"),))


def made(root: Path, *names: str) -> None:
    for name in names:
        folder = root / JOB / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "state.pt").touch()


def left(root: Path) -> set[str]:
    base = root / JOB / "checkpoints"
    return {folder.relative_to(base).as_posix() for folder in base.glob("*/*")}


def dropped(root: Path, *named: str, attempt: int) -> int:
    paths = {f"{JOB}/checkpoints/{name}" for name in named}
    return keeping.drop_unnamed(root, JOB, named=paths, attempt=attempt)


def test_a_checkpoint_is_placed_under_its_job_and_attempt(tmp_path: Path) -> None:
    placed = keeping.placed(claim(), checkpoint("000003-00000007"))
    assert (placed.path, placed.attempt) == (f"{JOB}/checkpoints/2/000003-00000007", 2)
    assert keeping.folder(tmp_path, claim()) / "000003-00000007" == tmp_path / placed.path


@pytest.mark.parametrize("path", ["../000001-00000000", "/000001-00000000", "a", ".000001-00000000.x", ""])
def test_a_checkpoint_stays_in_its_runs_folder(path: str) -> None:
    with pytest.raises(ValueError, match="no folder of a checkpoint"):
        keeping.placed(claim(), checkpoint(path))


def test_a_run_is_told_where_its_checkpoints_are(tmp_path: Path) -> None:
    [candidate] = keeping.candidates(tmp_path, claim())
    assert candidate.path == str(tmp_path / JOB / "checkpoints/1/000001-00000000")


def test_what_is_older_than_the_newest_that_counts_goes(tmp_path: Path) -> None:
    made(tmp_path, "2/000001-00000000", "2/000001-00000005", "2/000002-00000000", "2/000002-00000000-1")
    assert dropped(tmp_path, "2/000002-00000000", attempt=2) == 2
    assert left(tmp_path) == {"2/000002-00000000", "2/000002-00000000-1"}


def test_what_is_on_its_way_stays(tmp_path: Path) -> None:
    made(tmp_path, "2/000001-00000000", "2/000003-00000000", "2/.000004-00000000.x", "3/000001-00000000")
    assert dropped(tmp_path, "2/000001-00000000", attempt=2) == 0
    assert dropped(tmp_path, attempt=2) == 0
    assert len(left(tmp_path)) == 4


def test_what_a_dead_attempt_left_goes_unless_it_counts(tmp_path: Path) -> None:
    made(tmp_path, "1/000001-00000000", "1/000009-00000000", "1/.000010-00000000.x", "2/000002-00000000")
    assert dropped(tmp_path, "1/000001-00000000", attempt=2) == 2
    assert left(tmp_path) == {"1/000001-00000000", "2/000002-00000000"}


def test_nothing_is_left_where_nothing_counts(tmp_path: Path) -> None:
    made(tmp_path, "1/000001-00000000", "2/000002-00000000")
    assert dropped(tmp_path, attempt=sys.maxsize) == 2
    assert list((tmp_path / JOB).iterdir()) == []


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    made(tmp_path, "1/000001-00000000")
    (tmp_path / JOB / "checkpoints/1/link").symlink_to(elsewhere)
    dropped(tmp_path, attempt=2)
    assert (elsewhere / "precious").exists()
    assert not (tmp_path / JOB / "checkpoints").exists()
