"""SQLite behind the store: WAL, synchronous FULL, one writer, and readers that never wait."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, FromClause, create_engine, event, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import InterfaceError, OperationalError

from core.errors import StartRefused, Unavailable
from core.store.backend import Answer, Tx
from core.store.clock import Clock, HostClock
from core.store.tables import jobs
from core.store.writer import Writer

BUSY_MS = 30_000
WAL_LIMIT_BYTES = 64 * 1024 * 1024


class Hinting(SQLiteCompiler):
    """SQLAlchemy's compiler for SQLite, with the hints (`INDEXED BY …`) that it leaves out."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002  its signature
        """The hint as it was given."""
        return text


class Sqlite:
    """A SQLite file that one process writes."""

    in_place = True

    def __init__(self, url: URL, *, clock: Clock | None = None) -> None:
        self._path = file_of(url)
        self._clock = clock or HostClock()
        self._reading = _reading_engine(url)
        self._writing = writing_engine(url)
        self._writer = Writer(self._writing, self._clock)

    def describe(self) -> str:
        """The file."""
        return f"SQLite {self._path}"

    def healthy(self) -> None:
        """Write a page of the file (SQLite writes this one even unchanged) and see it on the disk."""
        self.write(_touch)

    def read(self, ask: Callable[[Tx], Answer]) -> Answer:
        """The answer to `ask`, in the caller's thread."""
        try:
            with self._reading.connect() as conn:
                return ask(Tx(conn, self._clock))
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error) from error

    def write(self, change: Callable[[Tx], Answer]) -> Answer:
        """Run `change` in the writer's next transaction."""
        try:
            return self._writer.write(change)
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Drain the writer; its connection closes last, since the last one empties the WAL."""
        self._writer.close()
        self._reading.dispose()
        self._writing.dispose()

    def _unavailable(self, error: OperationalError | InterfaceError) -> Unavailable:
        return Unavailable(f"SQLite cannot use {self._path}: {error.orig}.")


def file_of(url: URL) -> Path:
    """The file in a folder that can be written (made if it is missing); raises StartRefused."""
    if not url.database or url.database == ":memory:":
        message = "A store in memory cannot be shared; name a file, as in sqlite:///trainwire-data/trainwire.db."
        raise StartRefused(message)
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        message = f"The database folder {path.parent} cannot be written: {error.strerror}."
        raise StartRefused(message) from error


def writing_engine(url: URL) -> Engine:
    """One connection that says BEGIN IMMEDIATE: a deferred one that upgrades fails at once when another writes."""
    engine = create_engine(url, pool_size=1, max_overflow=0)

    engine.dialect.statement_compiler = Hinting

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ARG001  SQLAlchemy's signature
        connection.isolation_level = None  # or sqlite3 would say BEGIN by itself
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _reading_engine(url: URL) -> Engine:
    """Connections that cannot write, so that they never checkpoint; each statement sees what is committed."""
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=8, max_overflow=-1, skip_autocommit_rollback=True
    )

    engine.dialect.statement_compiler = Hinting

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ARG001  SQLAlchemy's signature
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA query_only=ON")

    return engine


def _touch(tx: Tx) -> None:
    tx.conn.execute(select(jobs.c.id).limit(0))
    tx.conn.exec_driver_sql("PRAGMA user_version=0")
