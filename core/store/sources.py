"""Jobs whose weights other jobs start from or predict by: what they left, who needs it, and what must stay."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, select

from core.epochs import predicts
from core.errors import SpecRefused
from core.job import ENDED, EventType, Problem
from core.starting import WEIGHTS, Left
from core.store import reading, rows
from core.store.backend import Tx
from core.store.needing import NAMED_JOBS
from core.store.tables import artifacts, events, job_sources, jobs


def left(tx: Tx, job_id: str) -> Left:
    """What the job left; raises NotFound, Gone."""
    status = tx.conn.scalar(select(jobs.c.status).where(jobs.c.id == job_id))
    if status is None:
        raise reading.missing(tx, job_id)
    file = select(*rows.ARTIFACT).where(artifacts.c.job_id == job_id, artifacts.c.name == WEIGHTS)
    started = select(events.c.data).where(events.c.job_id == job_id, events.c.type == EventType.STARTED)
    row, data = tx.conn.execute(file).one_or_none(), tx.conn.scalar(started.order_by(events.c.seq).limit(1))
    parameters = None if data is None else json.loads(data)["parameters"]
    return Left(status, None if row is None else rows.artifact_of(row), parameters)


def needed(tx: Tx, spec: Any) -> str | None:
    """The job whose weights a spec starts from or predicts by, held until the job that needs it is committed.

    Raises SpecRefused when it is gone.
    """
    asked = spec or {}
    place = "/predict/job" if predicts(asked) else "/init_from/job"
    job_id: str | None = (asked.get("predict") or asked.get("init_from") or {}).get("job")
    if job_id is None:
        return None
    if tx.conn.scalar(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update(read=True)) is None:
        told = f"{reading.missing(tx, job_id).message} Name a job that is there, or upload its weights."
        raise SpecRefused([Problem(place, told)])
    return job_id


def needing(tx: Tx, job_id: str) -> list[str]:
    """The first jobs that have not ended and need the weights of this one, and one more than are named."""
    wanted = select(jobs.c.id).join(job_sources, job_sources.c.job_id == jobs.c.id)
    of_this = wanted.where(job_sources.c.source_id == job_id, jobs.c.status.not_in(ENDED))
    return list(tx.conn.scalars(of_this.order_by(jobs.c.id).limit(NAMED_JOBS + 1)))


def is_needed(job_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a job that has not ended needs the weights of the one with this id."""
    other = jobs.alias("other")
    both = job_sources.join(other, other.c.id == job_sources.c.job_id)
    wanted = select(job_sources.c.job_id).select_from(both)
    return wanted.where(job_sources.c.source_id == job_id, other.c.status.not_in(ENDED)).exists()
