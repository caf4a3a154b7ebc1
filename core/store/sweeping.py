"""Bringing back what fell silent, one transaction a job, so that no row keeps another from coming back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from core.errors import Unavailable
from core.settings import Settings
from core.store import fleet, probes, returning
from core.store.backend import Backend
from core.store.ruins import Damaged, damaged, give_up

_log = logging.getLogger(__name__)


def sweep(database: Backend, settings: Settings, *, has_space: bool) -> list[str]:
    """Take back the jobs whose lease ran out, and let go on what waits for space if there is; the ids that changed.

    Raises Unavailable also when the database took so long to answer that no worker could keep its leases.
    """
    asked = monotonic()
    if database.read(fleet.anyone_forgotten):
        database.write(fleet.forget)
    if database.read(probes.any_abandoned):
        database.write(probes.drop_abandoned)
    overdue = database.read(lambda tx: returning.expired(tx, every=False))
    if monotonic() - asked > settings.late_s:
        message = "The database was away until now; nobody could keep a lease meanwhile."
        raise Unavailable(message)
    back = _take_back(database, settings, overdue, every=False)
    return back + _try_again(database) if has_space else back


def recover(database: Backend, settings: Settings) -> list[str]:
    """Take back every held job and end all waits, when no worker can be alive; the ids that changed."""
    database.write(fleet.forget_all)
    back = _take_back(database, settings, database.read(lambda tx: returning.expired(tx, every=True)), every=True)
    database.write(returning.end_waits)
    return back


def _take_back(database: Backend, settings: Settings, overdue: Sequence[str], *, every: bool) -> list[str]:
    return [job_id for job_id in overdue if _took_back(database, settings, job_id, every=every)]


def _took_back(database: Backend, settings: Settings, job_id: str, *, every: bool) -> bool:
    try:
        with damaged(job_id):
            return database.write(lambda tx: returning.take_back(tx, job_id, every=every, settings=settings))
    except Damaged as found:
        return give_up(database, found)
    except (SQLAlchemyError, Unavailable):
        _log.exception("Job %s could not be taken back.", job_id)
        return False


def _try_again(database: Backend) -> list[str]:
    waiting = database.read(returning.without_space)
    return [job_id for job_id in waiting if database.write(partial(returning.try_again, job_id=job_id))]
