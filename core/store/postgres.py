"""PostgreSQL behind the store: a pool, bounded patience, and commits whose outcome is always known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import URL, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core.errors import Unavailable
from core.store.backend import Answer, Receipt, Tx, Unclear, passes
from core.store.clock import Clock, ServerClock
from core.store.moves import found
from core.store.patience import LONG_PAUSES_S, PAUSES_S, Undecided, patiently, sqlstate
from core.store.tables import jobs

NO_SUCH_XID = "22023"
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

    def __init__(self, url: URL, *, clock: Clock | None = None) -> None:
        self._url = url
        self._clock = clock or ServerClock()
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
            tx = Tx(conn, self._clock)
            answer = change(tx)
            xid = conn.scalar(XID) if tx.receipt is not None else None
            passes(tx.point, "before")
            try:
                conn.commit()
            except DBAPIError as error:
                if tx.receipt is None or not error.connection_invalidated or not self._committed(str(xid), tx.receipt):
                    raise
                _log.warning("The connection broke while transaction %s committed; it did commit.", xid)
        passes(tx.point, "after")
        return answer

    def _committed(self, xid: str, receipt: Receipt) -> bool:
        """What became of a transaction whose COMMIT got no answer.

        The server knows it by its number; but after a crash it may give the number to another, so what was written
        must be there too. Raises Unclear while no server tells.
        """
        try:
            ended = self._patiently(lambda: self._read(lambda tx: _ended(tx, xid)), LONG_PAUSES_S)
            return ended and self.read(lambda tx: found(tx, receipt))
        except Unavailable as away:
            raise Unclear(receipt) from away

    def _patiently(self, attempt: Callable[[], Answer], pauses: Sequence[float] = PAUSES_S) -> Answer:
        return patiently(attempt, pauses=pauses, database=self.describe())


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


def _ended(tx: Tx, xid: str) -> bool:
    """Whether the server says that the transaction committed; raises while it is still at it."""
    try:
        status = tx.conn.scalar(OUTCOME, {"xid": xid})
    except DBAPIError as error:
        if sqlstate(error) == NO_SUCH_XID:  # a crash took it back, number and all
            return False
        raise
    if status == "in progress":
        raise Undecided
    return bool(status == "committed")
