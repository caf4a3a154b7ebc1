"""Ids that carry their kind and sort by time: `job_` and 32 hex digits of a UUIDv7 (RFC 9562)."""

import re

import uuid_utils

_SHAPE = re.compile(r"[a-z]+_[0-9a-f]{32}")


def new_id(kind: str) -> str:
    """A fresh id of `kind`, for example `job_0199f0c2…`; later ids sort after earlier ones."""
    return f"{kind}_{uuid_utils.uuid7().hex}"


def is_id(text: str, *, kind: str) -> bool:
    """Whether `text` has the shape of an id of `kind`."""
    return text.startswith(f"{kind}_") and _SHAPE.fullmatch(text) is not None
