"""Storing what a run tells: everything that waits in one transaction, fenced by the claim's attempt."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select

from core.errors import ClaimLost
from core.events import EpochDone, RunEvent
from core.job import HELD, Claim, EpochRow, Status
from core.store import rows
from core.store.backend import Tx
from core.store.folding import Batch, Known, fold
from core.store.moves import FROM, Guard, Standing, advance, standing
from core.store.tables import artifacts, epochs


def record(tx: Tx, claim: Claim, events: Sequence[RunEvent], *, max_log_lines: int) -> Status:
    """Store the events; the job's status behind them. Raises ClaimLost."""
    row = fence(tx, claim)
    known = Known(row.status, row.attempt, row.log_lines, max_log_lines, _stored(tx, claim, events))
    batch = fold(events, known)
    _write(tx, claim, batch)
    return batch.end.to if batch.end is not None else row.status


def fence(tx: Tx, claim: Claim) -> Standing:
    """How the claimed job stands, locked; raises ClaimLost if the claim is not the one that holds it."""
    row = standing(tx, claim.job_id)
    if row is None or row.attempt != claim.attempt or row.status not in HELD:
        message = f"Attempt {claim.attempt} of job {claim.job_id} is over."
        raise ClaimLost(message)
    return row


def _stored(tx: Tx, claim: Claim, events: Sequence[RunEvent]) -> dict[int, EpochRow]:
    """The rows that an earlier attempt stored for the epochs of this batch, or this one before an unclear answer."""
    numbers = [event.row.epoch for event in events if isinstance(event, EpochDone)]
    if not numbers:
        return {}
    found = select(*rows.EPOCH).where(epochs.c.job_id == claim.job_id, epochs.c.epoch.in_(numbers))
    return {row.epoch: rows.epoch_of(row) for row in tx.conn.execute(found)}


def _write(tx: Tx, claim: Claim, batch: Batch) -> None:
    ended = batch.end
    values = {**batch.values, **(ended.values(tx) if ended is not None else {})}
    if not values and not batch.entries:
        return
    guard = Guard(FROM[ended.to] if ended is not None else HELD, claim.attempt)
    step = advance(tx, claim.job_id, batch.entries, guard=guard, values=values)
    if step is None:
        raise ClaimLost
    if batch.epochs:
        tx.conn.execute(insert(epochs), [rows.epoch_values(claim.job_id, row) for row in batch.epochs])
    if batch.artifacts:
        made = [
            {"job_id": claim.job_id, "created_at": step.at, **rows.artifact_values(file)} for file in batch.artifacts
        ]
        tx.conn.execute(insert(artifacts), made)
