"""Files that are made of a job after its end."""

from __future__ import annotations

from sqlalchemy import delete, insert

from core.errors import WrongStatus
from core.job import Artifact
from core.store import reading, rows
from core.store.backend import Tx
from core.store.moves import standing
from core.store.tables import artifacts


def add(tx: Tx, job_id: str, file: Artifact) -> Artifact:
    """Enter a file of an ended job, in the place of one of its name; raises NotFound, Gone, WrongStatus."""
    row = standing(tx, job_id)
    if row is None:
        raise reading.missing(tx, job_id)
    if not row.status.ended:
        raise WrongStatus(f"Job {job_id} is {row.status}; files are added to what has ended.")
    tx.conn.execute(delete(artifacts).where(artifacts.c.job_id == job_id, artifacts.c.name == file.name))
    values = {"job_id": job_id, "created_at": tx.clock.now(), **rows.artifact_values(file)}
    tx.conn.execute(insert(artifacts).values(values))
    return reading.file(tx, job_id, file.name)
