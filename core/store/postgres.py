"""PostgreSQL behind the store: a pool, bounded patience, and commits whose outcome is always known."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping

from sqlalchemy import URL, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from core.errors import Unavailable
from core.store.backend import Answer, Tx
from core.store.clock import ServerClock
from core.store.tables import jobs

PAUSES_S = (0.05, 0.2, 0.5, 1.0)
"""How long to wait before each further try."""
PASSING = ("08", "40001", "40P01", "53300", "55P03", "57P")
"""SQLSTATEs that pass: connection, serialization, deadlock, too many connections, lock time-out, shutdown."""
NO_TABLE = "42P01"
SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
CONNECT = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "trainwire",
}

XID = text("SELECT pg_current_xact_id_if_assigned()::text")
OUTCOME = text("SELECT pg_xact_status(CAST(:xid AS text)::xid8)")

_log = logging.getLogger(__name__)


class Postgres:
    """A PostgreSQL database that many processes share."""

    in_place = False

    def __init__(self, url: URL) -> None:
        self._url = url
        self._clock = ServerClock()
        self._engine = pooled_engine(url)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    def describe(self) -> str:
        """The database and its host."""
        host = self._url.query.get("host") or self._url.host or "localhost"
        return f"PostgreSQL {self._url.database} at {host}:{self._url.port or 5432}"

    def healthy(self) -> None:
        """Ask whether the tables are there and writes are taken."""
        if self.read(_read_only):
            message = f"{self.describe()} takes no writes now."
            raise Unavailable(message)

    def read(self, ask: Callable[[Tx], Answer]) -> Answer:
        """The answer to `ask`, on a pooled connection without a transaction."""
        return self._patiently(lambda: self._read(ask))

    def write(self, change: Callable[[Tx], Answer]) -> Answer:
        """Run `change` in a transaction of its own, again if the database says so."""
        return self._patiently(lambda: self._write(change))

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()

    def _read(self, ask: Callable[[Tx], Answer]) -> Answer:
        with self._reading.connect() as conn:
            return ask(Tx(conn, self._clock))

    def _write(self, change: Callable[[Tx], Answer]) -> Answer:
        with self._engine.connect() as conn:
            answer = change(Tx(conn, self._clock))
            xid = conn.scalar(XID)
            try:
                conn.commit()
            except DBAPIError as error:
                if xid is None or not error.connection_invalidated or not self._committed(xid):
                    raise
                _log.warning("The connection broke while transaction %s committed; it did commit.", xid)
        return answer

    def _committed(self, xid: str) -> bool:
        """What became of a transaction whose COMMIT got no answer: the server still knows."""

        def outcome(tx: Tx) -> bool:
            status = tx.conn.scalar(OUTCOME, {"xid": xid})
            if status == "in progress":
                raise _StillCommitting
            return bool(status == "committed")

        return self._patiently(lambda: self._read(outcome))

    def _patiently(self, attempt: Callable[[], Answer]) -> Answer:
        for pause in PAUSES_S:
            try:
                return attempt()
            except (DBAPIError, PoolTimeout, _StillCommitting) as error:
                if not _passes(error):
                    raise self._told(error) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  jitter, no secret
        try:
            return attempt()
        except (DBAPIError, PoolTimeout, _StillCommitting) as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> Exception:
        """Unavailable where the database is at fault; a fault of ours stays what it is."""
        if _sqlstate(error) == NO_TABLE:
            return Unavailable(f"{self.describe()} has no tables yet; migrate it first.")
        if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, _StillCommitting)):
            return Unavailable(f"{self.describe()} cannot answer now.")
        return error


class _StillCommitting(Exception):
    """The server has not yet decided a transaction."""


def pooled_engine(url: URL) -> Engine:
    """An engine whose sessions cannot hang: time-outs for statements, locks, idle transactions and dead peers."""
    return create_engine(
        url,
        pool_size=10,
        max_overflow=30,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args=_arguments(url, SESSION),
        skip_autocommit_rollback=True,
    )


def migrating_engine(url: URL) -> Engine:
    """An engine for one connection that may take its time, and waits its turn."""
    return create_engine(url, poolclass=NullPool, connect_args=_arguments(url, {"timezone": "UTC"}))


def _arguments(url: URL, session: Mapping[str, str]) -> dict[str, object]:
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    given = {**CONNECT, "options": options}
    return {name: value for name, value in given.items() if name not in url.query}


def _read_only(tx: Tx) -> bool:
    tx.conn.execute(select(jobs.c.id).limit(0))
    return bool(tx.conn.scalar(text("SHOW transaction_read_only")) == "on")


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _passes(error: Exception) -> bool:
    if isinstance(error, ProgrammingError):
        return False
    broken = isinstance(error, DBAPIError) and error.connection_invalidated
    refused = isinstance(error, OperationalError) and not _sqlstate(error)
    return broken or refused or isinstance(error, _StillCommitting) or _sqlstate(error).startswith(PASSING)
