"""Files that are whole or absent: written under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.job import Artifact

REPORT = "report.json"
"""The artifact that says what the kept weights predict of the part held back."""


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; at the end it is fsynced and takes the name `path`.

    A crash leaves the old file or none, never half of one; an error removes the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(number)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)  # mkstemp gives 0600; the API may run as another user
        fsync(draft)
        draft.replace(path)
        fsync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def artifact(path: Path, *, media_type: str) -> Artifact:
    """Describe a file that the run leaves; its path is the bare name, relative to the run's folder."""
    return Artifact(path.name, path.name, media_type, path.stat().st_size, sha256(path))


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
