"""Where exported models lie, `<job>/exports/<name>`: made by one at a time, and gone when no row names them."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import NO_SPACE, StorageFull, TrainwireError, Unavailable

FOLDER = "exports"
LOCK = ".lock"


def place(job_id: str, name: str) -> str:
    """The path of an exported file, relative to the artifacts folder."""
    return f"{job_id}/{FOLDER}/{name}"


@contextmanager
def held(root: Path, job_id: str) -> Iterator[Path]:
    """Give the folder of a job's exports, which no other process makes anything in meanwhile.

    Raises StorageFull and Unavailable, also for what goes wrong with the files within.
    """
    folder = root / job_id / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    except OSError as error:
        raise _unusable(error) from error


def drop_unnamed(root: Path, job_id: str, *, named: Callable[[], Collection[str]]) -> None:
    """Remove what no row names of a job's exports, unless one is made now; `named` gives the paths of the rows then.

    A crash between a file and its row leaves such a file.
    """
    folder = root / job_id / FOLDER
    with suppress(OSError), (folder / LOCK).open("ab") as lock:  # somebody holds it, or there is no such folder
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # read under the lock: whoever held it has entered its file
        for found in unnamed(root, job_id, named=named()):
            found.unlink(missing_ok=True)


def unnamed(root: Path, job_id: str, *, named: Collection[str]) -> list[Path]:
    """The files among a job's exports that no row names."""
    there = (found for found in (root / job_id / FOLDER).glob("*") if found.name != LOCK)
    return [found for found in there if found.relative_to(root).as_posix() not in named]


def _unusable(error: OSError) -> TrainwireError:
    if error.errno in NO_SPACE:
        hint = "Free some space in the artifacts folder, or ask who runs the service to."
        return StorageFull("There is no space left for the exported model; nothing of it was kept.", hint=hint)
    return Unavailable(f"The folder of the exported models cannot be written: {error.strerror or error}.")
