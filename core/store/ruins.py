"""A row that cannot be read or changed: its job is ended by its id alone, so that it is in nobody's way for ever."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Text, func, select, type_coerce, update
from sqlalchemy.exc import DataError, IntegrityError

from core.job import ENDED, ErrorInfo, Reason, Status
from core.store.backend import Backend, Tx
from core.store.moves import Move, append
from core.store.tables import events, jobs

_JSON = tuple(
    jobs.c[name] for name in ("progress", "latest", "best", "error", "parent", "lineage", "spec", "test", "resolved")
)
_END = Move(
    Status.FAILED,
    Reason.INTERNAL_ERROR,
    by="service",
    error=ErrorInfo(Reason.INTERNAL_ERROR, "The job's row in the database is damaged.", hint="Submit the job again."),
)

_log = logging.getLogger(__name__)


class Damaged(Exception):
    """The row of a job is not what the code may expect."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id


@contextmanager
def damaged(job_id: str) -> Iterator[None]:
    """Raise Damaged for what only a damaged row brings about: never for a database that is away or was not migrated."""
    try:
        yield
    except (DataError, IntegrityError, ValueError, TypeError, LookupError) as error:
        raise Damaged(job_id) from error


def give_up(database: Backend, found: Damaged) -> bool:
    """Fail the job of a damaged row; whether it changed."""
    _log.error("The row of job %s is damaged; the job has failed.", found.job_id, exc_info=found)
    return database.write(lambda tx: ruin(tx, found.job_id))


def ruin(tx: Tx, job_id: str) -> bool:
    """Fail the job whatever its row holds, unless it has ended; whether it changed."""
    last = select(func.coalesce(func.max(events.c.seq), 0)).where(events.c.job_id == job_id).scalar_subquery()
    values = {**_unreadable(tx, job_id), **_END.values(tx), "last_seq": last + 1}
    changed = update(jobs).where(jobs.c.id == job_id, jobs.c.status.not_in(ENDED)).values(values)
    row = tx.conn.execute(changed.returning(jobs.c.last_seq, tx.clock.now())).one_or_none()
    if row is None:
        return False
    append(tx, job_id, [_END.entry()], first=row[0], at=row[1])
    return True


def _unreadable(tx: Tx, job_id: str) -> dict[str, Any]:
    """The columns that hold no JSON, emptied, so that lists with the job in them can be read again."""
    raw = select(*(type_coerce(column, Text) for column in _JSON)).where(jobs.c.id == job_id)
    row = tx.conn.execute(raw).one_or_none()
    texts = zip(_JSON, row or (), strict=False)
    return {column.name: {} if column is jobs.c.spec else None for column, text in texts if not _is_json(text)}


def _is_json(text: str | None) -> bool:
    try:
        return text is None or json.loads(text) is not ...
    except ValueError:
        return False
