"""Where checkpoints lie, and which of them may go: `<job>/checkpoints/<attempt>/<epoch>-<step>/`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from core.checkpoint import Checkpoint
from core.job import Claim

FOLDER = "checkpoints"
_WHOLE = re.compile(r"(\d+)-(\d+)(?:-(\d+))?")
"""Epoch, step, and a number where there are several at one step."""


class _Place(NamedTuple):
    """How far a checkpoint is; later ones are greater."""

    attempt: int
    epoch: int
    step: int
    number: int


def folder(root: Path, claim: Claim) -> Path:
    """The folder in which this attempt keeps its checkpoints."""
    return root / claim.job_id / FOLDER / str(claim.attempt)


def candidates(root: Path, claim: Claim) -> tuple[Checkpoint, ...]:
    """The checkpoints that a run can go on from, the newest first, with absolute paths."""
    return tuple(replace(kept, path=str((root / kept.path).absolute())) for kept in claim.checkpoints)


def placed(claim: Claim, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its path relative to the artifacts folder; ValueError for one that leads elsewhere."""
    if PurePath(checkpoint.path).name != checkpoint.path or not _WHOLE.fullmatch(checkpoint.path):
        raise ValueError(f"{checkpoint.path!r} is no folder of a checkpoint")
    path = f"{claim.job_id}/{FOLDER}/{claim.attempt}/{checkpoint.path}"
    return replace(checkpoint, path=path, attempt=claim.attempt)


def drop_unnamed(root: Path, job_id: str, *, named: Collection[str], attempt: int) -> int:
    """Remove the job's checkpoints that no row names, and what was begun of others; how many.

    Those of `attempt` and later stay if they are newer than the newest that is named: their rows may be on the way.
    """
    whole = [place for place in (_place(root / path) for path in named) if place]
    newest = max(whole, default=None)
    dropped = 0
    for found in _found(root / job_id / FOLDER):
        if found.relative_to(root).as_posix() in named or not _may_go(found, attempt=attempt, newest=newest):
            continue
        remove(found)
        dropped += 1
    _remove_empty(root / job_id / FOLDER, attempt=attempt)
    return dropped


def remove(found: Path) -> None:
    """Remove a folder or a file, as far as that can be done; what a link leads to stays."""
    if found.is_dir() and not found.is_symlink():
        shutil.rmtree(found, ignore_errors=True)
    else:
        with suppress(OSError):
            found.unlink()


def _found(kept: Path) -> Iterator[Path]:
    """Everything in the folders of the job's attempts."""
    for each in sorted(kept.glob("*")):
        if each.name.isdecimal():
            yield from sorted(each.glob("*"))


def _may_go(found: Path, *, attempt: int, newest: _Place | None) -> bool:
    if int(found.parent.name) < attempt:
        return True
    place = _place(found)
    return place is not None and newest is not None and place < newest


def _place(found: Path) -> _Place | None:
    whole = _WHOLE.fullmatch(found.name)
    if whole is None or not found.parent.name.isdecimal():
        return None
    return _Place(int(found.parent.name), int(whole[1]), int(whole[2]), int(whole[3] or 0))


def _remove_empty(kept: Path, *, attempt: int) -> None:
    for each in kept.glob("*"):
        if each.name.isdecimal() and int(each.name) < attempt:
            with suppress(OSError):  # what is named lies there
                each.rmdir()
    with suppress(OSError):
        kept.rmdir()
