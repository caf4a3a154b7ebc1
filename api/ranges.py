"""Parts of a file, as the Range header asks for them (RFC 9110, section 14)."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException

_ONE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


def asked_part(asked: str | None, if_range: str | None, *, etag: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one behind the last; None for the whole file.

    What cannot be read, several ranges and an outdated `If-Range` mean the whole; a range outside the file is a 416.
    """
    found = _ONE.fullmatch(asked or "")
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < start:
        return None
    if start >= size or not (first or int(last)):
        raise HTTPException(416, f"The file has {size:,} bytes.", {"Content-Range": f"bytes */{size}"})
    return start, end
