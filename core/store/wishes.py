"""What a client may ask for that makes a new job, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SpecRefused
from core.job import Job, Problem

if TYPE_CHECKING:
    from core.spec import JobSpec
    from core.spec.predicting import PredictSpec


@dataclass(frozen=True, slots=True)
class Submit:
    """A job of its own."""

    spec: JobSpec | PredictSpec


@dataclass(frozen=True, slots=True)
class Retry:
    """A failed or cancelled job once more: from its newest checkpoint, or from the start."""

    job_id: str
    from_start: bool = False


@dataclass(frozen=True, slots=True)
class Fork:
    """A job trained on by another spec behind epoch `epoch` (None: the newest one stored)."""

    job_id: str
    epoch: int | None
    spec: JobSpec


Wish = Submit | Retry | Fork


def forked_at(job_id: str, epoch: int | None, *, first: int, newest: int) -> int:
    """The epoch behind which the job is forked, by default its newest; SpecRefused outside of its own epochs."""
    wanted = newest if epoch is None else epoch
    if first <= wanted <= newest:
        return wanted
    message = f"Job {job_id} can be forked at an epoch from {first} to {newest}, not at {wanted}."
    raise SpecRefused([Problem("/epoch", message, {"minimum": first, "maximum": newest})])


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key, and the SHA-256 of the request that it came with."""

    key: str
    request: str


Told = Callable[[Job, int | None, str | None], str]
"""Renders the answer from the job, its place in the queue and what it waits for."""


@dataclass(frozen=True, slots=True)
class Created:
    """What became of a wish: the job, the queue to wake, and the answer; `replayed` when an earlier one was given."""

    job_id: str
    queue: str | None
    text: str
    version: int
    replayed: bool
