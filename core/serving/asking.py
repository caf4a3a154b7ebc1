"""What the API and the process that predicts say to each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from core.checks import MAX_PROBLEMS
from core.errors import NotFound, RowsRefused, TrainwireError, WrongStatus
from core.job import Problem
from core.wire import dumps

ANSWER, REFUSED, MISSING, UNABLE, BROKEN = (b"=", b"!", b"?", b"~", b"#")
"""The first byte of what comes back: an answer in JSON, the problems of what was sent, or a sentence: the weights are
gone, they cannot be used here, or something went wrong."""

JSON, JSONL, TEXT = "application/json", ("application/jsonl", "application/x-ndjson"), "text/plain"
SEPARATORS = {"text/csv": ",", "text/tab-separated-values": "\t"}
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif")
FORM = "multipart/form-data"
TYPES = (JSON, *JSONL, *SEPARATORS, TEXT, *PICTURES, FORM)
"""What a body may be."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may ask, and how much stays warm: samples, pixels of a picture, models, bytes of weights."""

    rows: int
    pixels: int
    models: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A body as it came, and whose model is to answer it: its folder, and the SHA-256 of its card and its weights."""

    job_id: str
    folder: Path
    card: str
    weights: str
    content_type: str
    body: bytes


def refusal(error: RowsRefused) -> bytes:
    """The problems of what was sent, on their way to the API."""
    problems = [asdict(problem) for problem in error.problems[:MAX_PROBLEMS]]
    return REFUSED + dumps({"problems": problems, "count": error.count}).encode("utf-8", "backslashreplace")


def answered(data: bytes) -> str:
    """The answer as JSON.

    Raises RowsRefused, NotFound, WrongStatus, or TrainwireError for what the process could not do.
    """
    kind, text = data[:1], data[1:].decode()
    if kind == ANSWER:
        return text
    if kind == REFUSED:
        told = json.loads(text)
        raise RowsRefused([Problem(**one) for one in told["problems"]], count=told["count"])
    if kind == MISSING:
        raise NotFound(text)
    raise WrongStatus(text) if kind == UNABLE else TrainwireError(text)
