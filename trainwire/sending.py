"""A file on its way to the service: read as it is sent, counted, and no longer than it was at first."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import BadRequest


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file at `path`; raises BadRequest in a sentence for what is none, or cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            remedy = "zip it" if path.is_dir() else "save it as a file"
            raise BadRequest(f"{path} is no file: {remedy} first.")
        file = path.open("rb")
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        yield file


class Sent(io.RawIOBase):
    """`file` as httpx reads it, up to the length that it had; `told` hears how many bytes of how many were read."""

    def __init__(self, file: IO[bytes], told: Callable[[int, int], None] | None) -> None:
        self._file = file
        self._told = told
        self._length = os.fstat(file.fileno()).st_size

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; raises BadRequest when the file has become shorter."""
        here = self._file.tell()
        left = self._length - here
        piece = self._file.read(left if size < 0 else min(size, left))
        if not piece and left:
            raise BadRequest(f"{self._file.name} became shorter while it was sent: try again when it is at rest.")
        if self._told and piece:
            self._told(here + len(piece), self._length)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go elsewhere in what is sent; its end is where it was at first."""
        if whence == os.SEEK_END:
            return self._file.seek(self._length + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next bytes come from."""
        return self._file.tell()
