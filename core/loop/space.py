"""Room on the disk: asked for before a checkpoint is written, and one typed error when it runs out all the same."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from core.errors import NO_SPACE, StorageFull, sentence

MARGIN = 16 << 20
"""Bytes that stay free beside twice what is about to be written: the database and the log write, too."""
_HINT = "Free some space there; the job goes on from its last checkpoint."
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How safetensors tells what the system said."""


def ensure_space(folder: Path, needed: int) -> None:
    """Raise StorageFull unless the disk of `folder` has twice `needed` bytes left, and a margin."""
    free = _free(folder)
    if free < 2 * needed + MARGIN:
        raise StorageFull(
            f"{folder} has {_megabytes(free)} left; a checkpoint of {_megabytes(needed)} "
            f"is only written where {_megabytes(2 * needed + MARGIN)} are free.",
            hint=_HINT,
        )


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn whatever a full disk, quota or file limit makes the writers in here raise into StorageFull."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if _number(error) not in NO_SPACE:
            raise
        told = f"There is no room for more in {folder} ({_megabytes(_free(folder))} free): {sentence(error)}."
        raise StorageFull(told, hint=_HINT) from error


def _free(folder: Path) -> int:
    """Bytes left where `folder` is, or will be."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _number(error: BaseException) -> int | None:
    """The system's error number; torch raises over the error of its file, safetensors tells it in words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause.errno
        if told := _OS_ERROR.search(str(cause)):
            return int(told[1])
        cause = cause.__cause__ or cause.__context__
    return None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
