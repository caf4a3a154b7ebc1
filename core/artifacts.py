"""The artifacts folder that all processes share: its marker, the uploads, and one folder for each attempt of a job."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath

from core.errors import NO_SPACE, RunFailed, StartRefused, StorageFull
from core.job import HELD, Artifact, Claim, Job, Status
from core.shelf import Folders

MARKER = ".trainwire"
DATASETS = "datasets"
_TEXT = "Trainwire's artifacts live here. Every process of one service must see this file.\n"
_LOOK_S = 0.1
_ROOM_BYTES = 64 << 20


def mark(root: Path) -> None:
    """Make the artifacts folder and leave its marker: what the first process does (`up`, `migrate`, the API).

    Raises StartRefused when the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / MARKER).is_file():
            (root / MARKER).write_text(_TEXT, encoding="utf-8")
    except OSError as error:
        raise StartRefused(
            f"The artifacts folder {root} cannot be written ({error.strerror}): choose another with "
            "--data (embedded) or TRAINWIRE_ARTIFACTS."
        ) from error


def see_marker(root: Path, *, within_s: float = 0.0) -> None:
    """Return when the marker is there, at the latest after `within_s` seconds; else raises StartRefused.

    A worker on another host that was given another folder would train jobs whose weights nobody finds.
    """
    deadline = time.monotonic() + within_s
    while not (root / MARKER).is_file():
        if time.monotonic() >= deadline:
            raise StartRefused(
                f"The artifacts folder {root.absolute()} has no file {MARKER}, so it is not the folder that the API "
                "shares: mount that folder here, or set TRAINWIRE_ARTIFACTS to where it is (`trainwire migrate` "
                "prepares a new one)."
            )
        time.sleep(_LOOK_S)
    if not os.access(root, os.W_OK):
        raise StartRefused(f"The artifacts folder {root.absolute()} cannot be written by this process.")


def folders(root: Path, files: Path | None) -> Folders:
    """Where a run finds what its spec names, with the artifacts in `root`."""
    return Folders(root / DATASETS, files, root)


def dataset_file(root: Path, sha256: str) -> Path:
    """Where the upload of this SHA-256 lies."""
    return root / DATASETS / sha256


def attempt_folder(root: Path, claim: Claim) -> Path:
    """A folder for what this attempt makes; those of earlier attempts, which nobody owns any more, are removed.

    Raises StorageFull, or RunFailed when it cannot be made.
    """
    folder = root / claim.job_id / str(claim.attempt)
    try:
        _make(folder)
    except OSError as error:
        raise _unusable(root, error) from error
    _remove_before(folder.parent, claim.attempt)
    return folder


def has_space(root: Path) -> bool:
    """Whether a run that was paused for want of space may try again: 64 MB are free, or a tenth of a small disk."""
    try:
        disk = shutil.disk_usage(root)
    except OSError:
        return False
    return disk.free >= min(_ROOM_BYTES, disk.total // 10)


def tidy(root: Path, job: Job) -> None:
    """Keep the folder of the attempt that succeeded or is at work, and no other of this job."""
    owned = job.status is Status.SUCCEEDED or job.status in HELD
    _remove_before(root / job.id, job.attempt if owned else job.attempt + 1)
    remove_empty(root, job.id)


def remove_empty(root: Path, job_id: str) -> None:
    """Remove the job's folder when nothing is in it."""
    with suppress(OSError):  # an attempt has its folder there
        (root / job_id).rmdir()


def placed(claim: Claim, artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """The run's artifacts, with paths relative to the artifacts folder; ValueError for one that leads elsewhere."""
    return tuple(_placed(claim, artifact) for artifact in artifacts)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # whoever tidied behind an earlier attempt took the empty parent in between
        folder.mkdir(parents=True, exist_ok=True)


def _unusable(root: Path, error: OSError) -> RunFailed:
    what = error.strerror or error
    if error.errno in NO_SPACE:
        hint = "Free some space there; the job then goes on by itself."
        return StorageFull(f"The artifacts folder {root} is full: {what}.", hint=hint)
    hint = "Give the worker's user the right to write there, or set TRAINWIRE_ARTIFACTS to where it may."
    return RunFailed(f"The artifacts folder {root} cannot be written: {what}.", hint=hint)


def _placed(claim: Claim, artifact: Artifact) -> Artifact:
    path = PurePath(artifact.path)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{artifact.path!r} is outside the folder of the run")
    return replace(artifact, path=f"{claim.job_id}/{claim.attempt}/{path.as_posix()}")


def _remove_before(folder: Path, attempt: int) -> None:
    for other in folder.glob("*"):
        if other.name.isdecimal() and int(other.name) < attempt:
            shutil.rmtree(other, ignore_errors=True)
