"""Storing what a run tells: everything that waits in one transaction, fenced by the claim's attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import insert, select

from core.errors import ClaimLost
from core.events import Checkpointed, EpochDone, RunEvent
from core.job import HELD, Claim, EpochRow, Status
from core.settings import Settings
from core.store import checkpoints, rows
from core.store.backend import Backend, Receipt, Tx, Unclear
from core.store.folding import Batch, Known, fold
from core.store.moves import FROM, Guard, Standing, advance, found, standing
from core.store.tables import artifacts, epochs


class Sent(NamedTuple):
    """The first `size` events of a batch, in a transaction of which nobody could say whether it committed."""

    receipt: Receipt
    size: int


class Recorder:
    """Records what runs tell; each event once, also when a commit got no answer and its batch is told again."""

    def __init__(self, database: Backend, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._unclear: dict[tuple[str, int], tuple[Sent, ...]] = {}

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store the events (a batch that is told again may have grown); raises ClaimLost."""
        run = (claim.job_id, claim.attempt)
        sent = self._unclear.get(run, ())
        try:
            status = self._database.write(lambda tx: record(tx, claim, events, settings=self._settings, sent=sent))
        except Unclear as unclear:
            self._unclear[run] = (Sent(unclear.receipt, len(events)), *sent)
            raise
        except ClaimLost:
            self._unclear.pop(run, None)
            raise
        self._unclear.pop(run, None)
        return status


def record(
    tx: Tx, claim: Claim, events: Sequence[RunEvent], *, settings: Settings, sent: Sequence[Sent] = ()
) -> Status:
    """Store the events behind those of `sent` that did commit; the job's status then. Raises ClaimLost."""
    row = standing(tx, claim.job_id)
    told = events[max((each.size for each in sent if found(tx, each.receipt)), default=0) :]
    if row is not None and events and not told:
        return row.status
    row = _fenced(row, claim)
    batch = fold(told, _known(tx, claim, told, row, settings))
    tx.point = "finish" if batch.move is not None and batch.move.to.ended else "record"
    _write(tx, claim, batch)
    return batch.move.to if batch.move is not None else row.status


def fence(tx: Tx, claim: Claim) -> Standing:
    """How the claimed job stands, locked; raises ClaimLost if the claim is not the one that holds it."""
    return _fenced(standing(tx, claim.job_id), claim)


def _fenced(row: Standing | None, claim: Claim) -> Standing:
    if row is None or row.attempt != claim.attempt or row.status not in HELD:
        message = f"Attempt {claim.attempt} of job {claim.job_id} is over."
        raise ClaimLost(message)
    return row


def _known(tx: Tx, claim: Claim, events: Sequence[RunEvent], row: Standing, settings: Settings) -> Known:
    any_checkpoint = any(isinstance(event, Checkpointed) for event in events)
    kept = checkpoints.of_job(tx, claim.job_id) if any_checkpoint else ()
    return Known(row, settings, _stored(tx, claim, events), checkpoints.Kept(tuple(kept)))


def _stored(tx: Tx, claim: Claim, events: Sequence[RunEvent]) -> dict[int, EpochRow]:
    """The rows that an earlier attempt stored for the epochs of this batch."""
    numbers = [event.row.epoch for event in events if isinstance(event, EpochDone)]
    if not numbers:
        return {}
    wanted = select(*rows.EPOCH).where(epochs.c.job_id == claim.job_id, epochs.c.epoch.in_(numbers))
    return {row.epoch: rows.epoch_of(row) for row in tx.conn.execute(wanted)}


def _write(tx: Tx, claim: Claim, batch: Batch) -> None:
    values = {**batch.values, **(batch.move.values(tx) if batch.move is not None else {})}
    if not values and not batch.entries:
        return
    guard = Guard(FROM[batch.move.to] if batch.move is not None else HELD, claim.attempt)
    step = advance(tx, claim.job_id, batch.entries, guard=guard, values=values)
    if step is None:
        raise ClaimLost
    if batch.epochs:
        tx.conn.execute(insert(epochs), [rows.epoch_values(claim.job_id, row) for row in batch.epochs])
    if batch.checkpoints:
        checkpoints.add(tx, claim, batch.checkpoints, at=step.at)
    if batch.artifacts:
        made = [
            {"job_id": claim.job_id, "created_at": step.at, **rows.artifact_values(file)} for file in batch.artifacts
        ]
        tx.conn.execute(insert(artifacts), made)
