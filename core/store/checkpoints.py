"""Rows of checkpoints: only what has a row counts, and each new one makes old ones go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, insert, select

from core.checkpoint import Checkpoint, CheckpointFile
from core.job import Claim
from core.store.backend import Tx
from core.store.tables import checkpoints

KEEP_LAST = 2
KEEP_BEST = 0
"""What is kept for a spec that says nothing of it."""

COLUMNS = (
    checkpoints.c.id,
    checkpoints.c.path,
    checkpoints.c.epoch,
    checkpoints.c.step,
    checkpoints.c.occasion,
    checkpoints.c.files,
    checkpoints.c.cost,
    checkpoints.c.attempt,
    checkpoints.c.created_at,
)
NEWEST_FIRST = (
    checkpoints.c.attempt.desc(),
    checkpoints.c.epoch.desc(),
    checkpoints.c.step.desc(),
    checkpoints.c.id.desc(),
)
OF_JOB = select(*COLUMNS).where(checkpoints.c.job_id == bindparam("job_id")).order_by(*NEWEST_FIRST)
_NAMED = select(checkpoints.c.path).where(checkpoints.c.home == bindparam("job_id"))


class Kept(NamedTuple):
    """The checkpoints that a job has rows of."""

    all: tuple[Checkpoint, ...] = ()

    def knows(self, told: Checkpoint, *, attempt: int) -> bool:
        """Whether the checkpoint was stored before, though retention may have taken its row since."""
        position = (told.epoch, told.step)
        return any(
            row.id == told.id or (row.attempt == attempt and (row.epoch, row.step) > position) for row in self.all
        )

    def stood(self, told: Checkpoint) -> bool:
        """Whether a row names this position."""
        return any((row.epoch, row.step) == (told.epoch, told.step) for row in self.all)


def of_job(tx: Tx, job_id: str) -> list[Checkpoint]:
    """The job's checkpoints, the newest first."""
    return [checkpoint_of(row) for row in tx.conn.execute(OF_JOB, {"job_id": job_id})]


def named(tx: Tx, job_id: str) -> set[str]:
    """The folders below the job's that a row of any job names."""
    return set(tx.conn.scalars(_NAMED, {"job_id": job_id}))


def add(tx: Tx, claim: Claim, fresh: Sequence[Checkpoint], *, at: datetime) -> None:
    """Store checkpoints of the claimed run, and let go of those beyond what its spec keeps.

    The job's row is locked, so that nobody copies a row that goes.
    """
    same_place = [checkpoint.path for checkpoint in fresh]
    tx.conn.execute(delete(checkpoints).where(_of(claim.job_id), checkpoints.c.path.in_(same_place)))
    rows = [values_of(each, job_id=claim.job_id, attempt=claim.attempt, at=at) for each in fresh]
    tx.conn.execute(insert(checkpoints), rows)
    surplus = _surplus(of_job(tx, claim.job_id), claim.spec.get("checkpoints") or {})
    if surplus:
        tx.conn.execute(delete(checkpoints).where(_of(claim.job_id), checkpoints.c.id.in_(surplus)))


def drop(tx: Tx, job_id: str) -> None:
    """Let go of all of a job's."""
    tx.conn.execute(delete(checkpoints).where(_of(job_id)))


def checkpoint_of(row: Row[*tuple[Any, ...]]) -> Checkpoint:
    """A checkpoint from its row."""
    files = tuple(CheckpointFile(**file) for file in row.files)
    return Checkpoint(**{**row._mapping, "files": files})


def values_of(checkpoint: Checkpoint, *, job_id: str, attempt: int, at: datetime) -> dict[str, Any]:
    """A checkpoint as a row of the job."""
    files = [{"name": file.name, "bytes": file.bytes, "sha256": file.sha256} for file in checkpoint.files]
    return {
        "job_id": job_id,
        "id": checkpoint.id,
        "home": checkpoint.path.partition("/")[0],
        "path": checkpoint.path,
        "attempt": attempt,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "occasion": checkpoint.occasion,
        "cost": checkpoint.cost,
        "files": files,
        "created_at": at,
    }


def _of(job_id: str) -> Any:
    return checkpoints.c.job_id == job_id


def _surplus(newest_first: Sequence[Checkpoint], keep: Mapping[str, Any]) -> list[str]:
    """The ids beyond the newest and the cheapest to keep; of equal cost the earlier is better."""
    last = newest_first[: keep.get("keep_last", KEEP_LAST)]
    rated = [each for each in newest_first if each.cost is not None and not math.isnan(each.cost)]
    cheapest = sorted(rated, key=lambda each: (each.cost, each.epoch))[: keep.get("keep_best", KEEP_BEST)]
    kept = {each.id for each in (*last, *cheapest)}
    return [each.id for each in newest_first if each.id not in kept]
