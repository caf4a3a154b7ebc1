"""A job's figures as curves to export: each epoch's, with the time at which it ended, all that its log has of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from core.errors import WrongStatus
from core.job import Event, EventType, Job

_AT_ONCE = 1_000
_ROUNDS = ("fold", "seed")


class CurveStore(Protocol):
    """What curves are read from."""

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound, Gone."""

    def events(
        self, job_id: str, *, after: int = 0, limit: int = 1_000, types: Collection[EventType] | None = None
    ) -> list[Event]:
        """Its log behind `after`, in order."""


def of(store: CurveStore, job_id: str) -> dict[str, Any]:
    """The spec, and `rows`: a time in seconds since 1970 and the figures of an epoch.

    Raises WrongStatus for a job without any.
    """
    rows = list(_rows(store, job_id))
    if not rows:
        raise WrongStatus(f"Job {job_id} has ended without an epoch, so it has no curves.")
    return {"spec": dict(store.job(job_id).spec), "rows": rows}


def scalars(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Each figure under its name; of several folds or seeds, which each are a curve, with that behind it."""
    of = "".join(f"/{name} {row[name]}" for name in _ROUNDS if row.get(name) is not None)
    for name, value in row.items():
        if isinstance(value, int | float) and name not in ("epoch", *_ROUNDS):
            yield f"{name}{of}", value


def _rows(store: CurveStore, job_id: str) -> Iterator[tuple[float, dict[str, Any]]]:
    after = 0
    while found := store.events(job_id, after=after, limit=_AT_ONCE, types=[EventType.EPOCH]):
        yield from ((event.at.timestamp(), json.loads(event.data)) for event in found)
        after = found[-1].seq
