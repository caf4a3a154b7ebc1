"""The folder whose files specs may name: no path leaves it, and each file is looked into once while it stays."""

from __future__ import annotations

import hashlib
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from core.checks import nearest, shown
from core.dataset import Dataset, Profile
from core.errors import DataRefused
from core.hub import Key, located
from core.job import Problem

REMEMBERED = 1_000
"""Files of which it is known what is in them; the one asked for longest ago goes first."""
_SIBLINGS = 1_000

Inspect = Callable[[Path, str], Profile]
"""Looks into the file at a path, which has this name; raises DataRefused."""
_Key = tuple[Path, int, int, int]


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a run finds data: the uploads, the folder whose files specs may name, and the one of the jobs' artifacts.

    None: there is none.
    """

    uploads: Path
    files: Path | None = None
    jobs: Path | None = None


def below(root: Path | None, path: str) -> Path:
    """The file at `path` in the folder `root`, with every link followed; raises DataRefused for what is none there."""
    if root is None:
        raise _refused("This service reads no files of its own: upload the file, or set TRAINWIRE_FILES to a folder.")
    if "\0" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise _refused(f"{shown(path)} is no path in the folder of the files: give it relative to that, without `..`.")
    home = root.resolve()
    try:
        found = (home / path).resolve()
        inside, mode = found.is_relative_to(home), found.stat().st_mode
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        told = f"There is no file {shown(path)} in the folder of the files.{_alike(home, path)}"
        reason = "" if isinstance(error, FileNotFoundError) else f" ({getattr(error, 'strerror', None) or error})"
        raise _refused(told + reason) from error
    if not inside:
        raise _refused(f"{shown(path)} leads out of the folder of the files.")
    if not stat.S_ISREG(mode):
        raise _refused(f"{shown(path)} is no file{' but a folder' if stat.S_ISDIR(mode) else ''}.")
    return found


class Shelf:
    """What is in the files below `root` (None: no file may be named); from any thread."""

    def __init__(self, root: Path | None, inspect: Inspect) -> None:
        self._root = root
        self._inspect = inspect
        self._seen: OrderedDict[_Key, Dataset | DataRefused] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, path: str) -> Dataset:
        """What is in the file at `path` or in a cached dataset; one of the same size and time is looked into once.

        Raises DataRefused with places, for a path that may not be named, and for a file that changes meanwhile.
        """
        found = located(path) if isinstance(path, Key) else below(self._root, path)
        key = _key(found)
        with self._lock:
            known = self._seen.get(key)
        if known is None:
            known = self._looked_into(found, path)
            if _key(found) != key:
                raise _refused(f"{shown(path)} changed while it was looked into; ask again when it is whole.")
            self._remember(key, known)
        if isinstance(known, DataRefused):
            raise DataRefused(known.problems, count=known.count)
        return known

    def _looked_into(self, found: Path, path: str) -> Dataset | DataRefused:
        try:
            profile = self._inspect(found, found.name)
            with found.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except DataRefused as refused:
            return refused
        except OSError as error:
            raise _refused(f"{shown(path)} cannot be read: {error.strerror or error}.") from error
        seen = found.stat()
        return Dataset(path, sha256, seen.st_size, found.name, profile, datetime.fromtimestamp(seen.st_mtime, UTC))

    def _remember(self, key: _Key, known: Dataset | DataRefused) -> None:
        with self._lock:
            self._seen[key] = known
            self._seen.move_to_end(key)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)


def _key(found: Path) -> _Key:
    try:
        seen = found.stat()
    except OSError as error:
        raise _refused(f"{shown(found.name)} went away while it was looked into.") from error
    return found, seen.st_size, seen.st_mtime_ns, seen.st_ino


def _alike(home: Path, path: str) -> str:
    """A hint at a file of almost this name beside where this one should be."""
    folder = (home / path).parent
    try:
        if not folder.resolve().is_relative_to(home):
            return ""
        names = [one.name for one, _ in zip(sorted(folder.iterdir()), range(_SIBLINGS), strict=False)]
    except (OSError, RuntimeError):
        return ""
    return nearest(Path(path).name, names)


def _refused(message: str) -> DataRefused:
    return DataRefused([Problem("/file", message)])
