"""Files as answers: whole or in part, under their SHA-256, never shown as a page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Header
from starlette.responses import Response

from api.answers import names, unchanged
from api.files import OpenFile, open_below
from api.params import IfNoneMatch
from api.ranges import asked_part


@dataclass(frozen=True, slots=True)
class Asked:
    """The headers that say which bytes the client wants."""

    if_none_match: str | None
    range: str | None
    if_range: str | None


async def _asked(
    if_none_match: IfNoneMatch = None,
    range: Annotated[str | None, Header(description="`bytes=0-99`: a part of the file.")] = None,  # noqa: A002 - its name
    if_range: Annotated[str | None, Header(description="The entity tag for which the range holds.")] = None,
) -> Asked:
    return Asked(if_none_match, range, if_range)


AskedDep = Annotated[Asked, Depends(_asked)]


@dataclass(frozen=True, slots=True)
class Download:
    """A file below the artifacts folder, as the client is to get it."""

    path: str
    name: str
    media_type: str
    sha256: str


def sent(root: Path, file: Download, asked: Asked) -> Response:
    """The file or what was asked for of it; 304 where the client has it. Raises NotFound, and a 416."""
    etag = f'"{file.sha256}"'
    if names(asked.if_none_match, etag):
        return unchanged(etag)
    descriptor = open_below(root, file.path)
    try:
        size = os.fstat(descriptor).st_size
        part = asked_part(asked.range, asked.if_range, etag=etag, size=size)
    except BaseException:
        os.close(descriptor)
        raise
    return OpenFile(descriptor, size=size, part=part, headers=_headers(file, etag))


def _headers(file: Download, etag: str) -> dict[str, str]:
    return {
        "ETag": etag,
        "Cache-Control": "no-cache",
        "Content-Type": file.media_type,
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(file.name, safe='')}",
        "Content-Security-Policy": "sandbox",
    }
