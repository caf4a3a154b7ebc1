"""How a job comes to be: queued, with the first entry of its log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from core.epochs import predicts
from core.job import Event, EventType, Job, Status
from core.pace import pace_key
from core.room import devices_of, nodes_of
from core.store import datasets, rows, sources
from core.store.backend import Tx
from core.store.moves import Move, append
from core.store.tables import job_datasets, job_labels, job_sources, jobs


def add(tx: Tx, job_id: str, spec: Mapping[str, Any], **more: Any) -> Job:
    """Queue a job under an id that is already its own; `more` are columns that only some jobs have.

    Raises SpecRefused when an upload that it names is gone, or a job.
    """
    tx.point = "submit"
    needed, source = datasets.needed(tx, spec), sources.needed(tx, spec)
    first = Move(Status.QUEUED, None, by="user")
    asked = {
        "name": spec["name"],
        "priority": spec["priority"],
        "queue": spec["resources"]["queue"],
        "device": spec["resources"]["device"],
        "devices": devices_of(spec),
        "nodes": nodes_of(spec),
        "dataset_id": needed.first,
        "pace": None if predicts(spec) else pace_key(spec),
    }
    values = {**_NEW, **asked, **more, "id": job_id, "spec": spec, "created_at": tx.clock.now()}
    row = tx.conn.execute(insert(jobs).values(values).returning(*rows.JOB)).one()
    append(tx, job_id, [first.entry()], first=1, at=row.created_at)
    if needed.beside:
        tx.conn.execute(insert(job_datasets), [{"dataset_id": one, "job_id": job_id} for one in needed.beside])
    if source is not None:
        tx.conn.execute(insert(job_sources), {"source_id": source, "job_id": job_id})
    if spec["labels"]:
        labels = [{"job_id": job_id, "key": key, "value": value} for key, value in spec["labels"].items()]
        tx.conn.execute(insert(job_labels), labels)
    return rows.job_of(row, [Event(job_id, 1, row.created_at, EventType.STATUS, first.entry().data)])


_NEW: dict[str, Any] = {
    "status": Status.QUEUED,
    "attempt": 0,
    "failures": 0,
    "last_seq": 1,
    "log_lines": 0,
}
