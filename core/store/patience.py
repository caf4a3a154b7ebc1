"""Which failures of PostgreSQL pass, and how long to wait for that."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import Unavailable
from core.store.backend import Answer

PAUSES_S = (0.05, 0.2, 0.5, 1.0)
"""How long to wait before each further try."""
LONG_PAUSES_S = (*PAUSES_S, 2.0, 3.0, 4.0, 5.0)
"""The same where giving up would leave a commit unclear: a restarting server needs some seconds."""

PASSING = ("08", "40001", "40P01", "53300", "55P03", "57P")
"""SQLSTATEs that pass: connection, serialization, deadlock, too many connections, lock time-out, shutdown."""
NO_TABLE = "42P01"
READ_ONLY = "25006"


class Undecided(Exception):
    """The server is still at it; ask again."""


def patiently(attempt: Callable[[], Answer], *, pauses: Sequence[float] = PAUSES_S, database: str) -> Answer:
    """The answer of `attempt`, tried again while what fails may pass; raises Unavailable when patience ends."""
    for pause in pauses:
        try:
            return attempt()
        except (DBAPIError, PoolTimeout, Undecided) as error:
            if not _passes(error):
                raise _told(error, database) from error
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  jitter, no secret
    try:
        return attempt()
    except (DBAPIError, PoolTimeout, Undecided) as error:
        raise _told(error, database) from error


def sqlstate(error: Exception) -> str:
    """PostgreSQL's code for a failure; empty when no server answered."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _passes(error: Exception) -> bool:
    refused = isinstance(error, OperationalError) and not sqlstate(error)
    return _broken(error) or refused or isinstance(error, Undecided) or sqlstate(error).startswith(PASSING)


def _told(error: Exception, database: str) -> Exception:
    """Unavailable where the database is at fault; a fault of ours stays what it is."""
    if sqlstate(error) == NO_TABLE:
        return Unavailable(f"{database} has no tables yet; migrate it first.")
    away = isinstance(error, (OperationalError, InterfaceError, PoolTimeout, Undecided)) or _broken(error)
    return Unavailable(f"{database} cannot answer now.") if away or sqlstate(error) == READ_ONLY else error


def _broken(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
