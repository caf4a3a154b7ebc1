"""The artifacts folder that all processes share: its marker, and one folder for each attempt of a job."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath

from core.errors import StartRefused
from core.job import Artifact, Claim

MARKER = ".trainwire"
_TEXT = "Trainwire's artifacts live here. Every process of one service must see this file.\n"
_LOOK_S = 0.1


def mark(root: Path) -> None:
    """Make the artifacts folder and leave its marker: what the first process does (`up`, `migrate`, the API).

    Raises StartRefused when the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / MARKER).is_file():
            (root / MARKER).write_text(_TEXT)
    except OSError as error:
        raise StartRefused(
            f"The artifacts folder {root} cannot be written ({error.strerror}): set TRAINWIRE_ARTIFACTS to another."
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


def attempt_folder(root: Path, claim: Claim) -> Path:
    """A folder for what this attempt makes; those of earlier attempts, which nobody owns any more, are removed."""
    folder = root / claim.job_id / str(claim.attempt)
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other.name.isdecimal() and int(other.name) < claim.attempt:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def discard(root: Path, claim: Claim) -> None:
    """Remove what an attempt left, as far as that goes."""
    shutil.rmtree(root / claim.job_id / str(claim.attempt), ignore_errors=True)
    try:
        (root / claim.job_id).rmdir()
    except OSError:
        return  # another attempt has its folder there


def placed(claim: Claim, artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """The run's artifacts, with paths relative to the artifacts folder; ValueError for one that leads elsewhere."""
    return tuple(_placed(claim, artifact) for artifact in artifacts)


def _placed(claim: Claim, artifact: Artifact) -> Artifact:
    path = PurePath(artifact.path)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{artifact.path!r} is outside the folder of the run")
    return replace(artifact, path=f"{claim.job_id}/{claim.attempt}/{path.as_posix()}")
