"""Files below the artifacts folder, opened so that no link can lead out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path, PurePosixPath

from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core.errors import NotFound

CHUNK = 256 * 1024


def open_below(root: Path, path: str) -> int:
    """A descriptor of the regular file at `path` below `root`; NotFound for anything else, links included."""
    steps = PurePosixPath(path).parts
    if not steps or ".." in steps or PurePosixPath(path).is_absolute():
        raise _missing()
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for step in steps[:-1]:
            inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        # Not to block on a pipe that lies where a file should.
        found = os.open(steps[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    except (OSError, ValueError) as error:
        raise _missing() from error
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise _missing()
    return found


def read_below(root: Path, path: str) -> bytes:
    """What is in that file; NotFound in the same way."""
    with os.fdopen(open_below(root, path), "rb") as opened:
        return opened.read()


class OpenFile(StreamingResponse):
    """An open file, or the bytes of `part` (first, behind the last), as a response that closes it."""

    def __init__(self, descriptor: int, *, size: int, part: tuple[int, int] | None, headers: Mapping[str, str]) -> None:
        self._descriptor = descriptor
        start, end = part or (0, size)
        length = {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
        if part is not None:
            length["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        super().__init__(self._chunks(start, end), 200 if part is None else 206, {**headers, **length})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the bytes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)

    async def _chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            chunk = await run_in_threadpool(os.pread, self._descriptor, min(CHUNK, end - start), start)
            if not chunk:
                raise OSError("the file became shorter while it was sent")
            yield chunk
            start += len(chunk)


def _missing() -> NotFound:
    return NotFound("The file is not in the artifacts folder any more.")
