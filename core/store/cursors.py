"""Cursors: opaque texts that stand for a place in a list, behind which the next page begins."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from core.errors import BadRequest
from core.ids import is_id

Place = TypeVar("Place")


def cursor(row_id: str) -> str:
    """The opaque text that stands for "after the row of this id"."""
    return _written(row_id.encode())


def id_of(text: str, *, kind: str = "job") -> str:
    """The id of `kind` that a cursor stands for; raises BadRequest for a text that is none."""
    try:
        row_id = _read(text).decode()
    except ValueError:
        row_id = ""
    if not is_id(row_id, kind=kind):
        raise _no_cursor(text)
    return row_id


def cursor_of(at: Any, kind: TypeAdapter[Any]) -> str:
    """The opaque text of a place of this `kind`."""
    return _written(kind.dump_json(at))


def place_of(text: str, kind: TypeAdapter[Place]) -> Place:
    """The place of this `kind` that a cursor stands for; raises BadRequest for a text that is none."""
    try:
        return kind.validate_json(_read(text), strict=True)
    except ValidationError:
        raise _no_cursor(text) from None


def _written(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def _read(text: str) -> bytes:
    """Empty for a text that is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _no_cursor(text: str) -> BadRequest:
    message = f"{text[:80]!r} is no cursor of this list; take it from the `next` of a page in the same order."
    return BadRequest(message, param="after")
