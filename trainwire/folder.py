"""The data folder of an embedded service: one owner at a time by an OS lock, and a note of where it listens."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StartRefused

USUAL = Path("trainwire-data")
_LOCK = "lock"
_NOTE = "server.json"
_TRIES = 5
"""A client that looks whether a service runs holds the lock for an instant; so ask more than once."""
_PAUSE_S = 0.05


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Own `folder` while the block runs, even if the process dies in it; raises `StartRefused` when another does."""
    lock = _opened(folder)
    try:
        _take(lock, folder)
        yield
    finally:
        os.close(lock)


@contextmanager
def announced(folder: Path, *, url: str) -> Generator[None]:
    """Leave word in `folder`, for as long as the block runs, where its service listens."""
    note = folder / _NOTE
    unfinished = note.with_suffix(".new")
    unfinished.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n", encoding="utf-8")
    unfinished.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def running_url(folder: Path) -> str | None:
    """Where the service that owns `folder` listens; None when none does, whatever a killed one left written."""
    try:
        return _noted_url(folder) if _is_owned(folder) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _opened(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartRefused(
            f"The data folder {folder} cannot be written ({error.strerror}): choose another with --data."
        ) from error


def _take(lock: int, folder: Path) -> None:
    for _ in range(_TRIES):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
    url = running_url(folder)
    where = f", at {url}" if url else ""
    raise StartRefused(
        f"Another Trainwire service runs on the data folder {folder}{where}: "
        "stop it, or choose another folder with --data."
    )


def _is_owned(folder: Path) -> bool:
    lock = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _noted_url(folder: Path) -> str:
    return str(json.loads((folder / _NOTE).read_text(encoding="utf-8"))["url"])
