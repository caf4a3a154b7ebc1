"""The files of uploads: hashed as they come in, put in place whole, and gone when their row is.

A file and its row come and go under one lock of all processes. A mark lies there meanwhile: after a crash in between it
tells whose file to look at. A file without a mark is never removed, it may be another database's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from core.artifacts import DATASETS, dataset_file
from core.errors import NO_SPACE, Refused, StorageFull, TrainwireError, Unavailable

INCOMING = ".incoming"
LOCK = ".lock"
ABANDONED_S = 3600.0
"""A file that nobody has written to for so long will not become whole any more."""
_MARK = re.compile(r"[0-9a-f]{64}")


class DatasetStore(Protocol):
    """What the removal of files needs of the store."""

    def stored_datasets(self, hashes: Collection[str]) -> set[str]:
        """Those of the SHA-256s that uploads have."""


class Incoming:
    """A file on its way in: `keep` puts it in its place, `close` removes it unless it was kept.

    Raises StorageFull when there is no space, Unavailable when the folder cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._hash = hashlib.sha256()
        self.bytes = 0
        with _writing():
            self.path = _folder(root) / uuid.uuid4().hex
            self._file = self.path.open("xb", buffering=0)

    @property
    def sha256(self) -> str:
        """In hex, of what came so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._hash.update(data)
        self.bytes += len(data)
        left = memoryview(data)
        with _writing():
            while left:
                left = left[self._file.write(left) or 0 :]

    def sync(self) -> None:
        """Return when the bytes are on the disk."""
        with _writing():
            os.fsync(self._file.fileno())

    def keep(self) -> None:
        """Put the file in its place, where it replaces an equal one."""
        with _writing():
            self.path.replace(dataset_file(self._root, self.sha256))
            _sync(self._root / DATASETS)
        self._file.close()

    def close(self) -> None:
        """Let go of it."""
        self._file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


@contextmanager
def settling(root: Path, sha256: str) -> Iterator[None]:
    """Hold all uploads while the file of this SHA-256 and its row come or go together; raises Unavailable."""
    with _locked(root):
        mark = root / DATASETS / INCOMING / sha256
        with suppress(OSError):  # a full disk has no room for it, and deleting must work then
            mark.touch()
        try:
            yield
        except Refused:  # nothing was changed
            mark.unlink(missing_ok=True)
            raise
        mark.unlink(missing_ok=True)


def remove(root: Path, sha256: str) -> None:
    """Remove the file of an upload whose row is gone; raises Unavailable when that cannot be."""
    with _writing():
        dataset_file(root, sha256).unlink(missing_ok=True)


def room(root: Path) -> int:
    """Bytes that can still be written below the artifacts folder."""
    with _writing():
        disk = os.statvfs(root)
        return disk.f_bavail * disk.f_frsize


def tidy(store: DatasetStore, root: Path) -> int:
    """Remove what never became whole and files whose row is gone; how many. Raises Unavailable."""
    folder = root / DATASETS / INCOMING
    if not folder.is_dir():
        return 0
    marks = [found for found in folder.iterdir() if _MARK.fullmatch(found.name)]
    removed = sum(_settled(store, root, mark) for mark in marks)
    old = [found for found in folder.iterdir() if not _MARK.fullmatch(found.name) and _age_s(found) > ABANDONED_S]
    with _writing():
        for found in old:
            found.unlink(missing_ok=True)
    return removed + len(old)


def _settled(store: DatasetStore, root: Path, mark: Path) -> int:
    """Look at a file again that somebody left between its coming or going and that of its row."""
    with _locked(root):
        file = dataset_file(root, mark.name)
        orphan = mark.exists() and file.exists() and not store.stored_datasets([mark.name])
        with _writing():
            if orphan:
                file.unlink()
            mark.unlink(missing_ok=True)
    return int(orphan)


def _folder(root: Path) -> Path:
    folder = root / DATASETS / INCOMING
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with _writing():
        lock = (_folder(root).parent / LOCK).open("ab")
    with lock:
        with _writing():
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(error) from error


def _unusable(error: OSError) -> TrainwireError:
    if error.errno in NO_SPACE:
        hint = "Free some space in the artifacts folder, or ask who runs the service to."
        return StorageFull("There is no space left for the upload; nothing of it was kept.", hint=hint)
    return Unavailable(f"The folder of the uploads cannot be written: {error.strerror or error}.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age_s(found: Path) -> float:
    with suppress(OSError):
        return time.time() - found.lstat().st_mtime
    return 0.0  # it has just gone
