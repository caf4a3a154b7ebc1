"""A connection to the service's database that makes nothing, changes nothing and waits for nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core.errors import Unavailable
from core.store.postgres import CONNECT

BUSY_S = 5.0
REACH = "Start PostgreSQL, or correct host, port, user, password and name in TRAINWIRE_DATABASE_URL."
REPLACE = (
    "Let this user write it on a disk with space; if it is damaged, bring a copy back, or move it away to begin anew."
)


@contextmanager
def opened(url: URL) -> Iterator[Connection]:
    """The database, for one look at a time; raises Unavailable with the cause."""
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgres(url)
    try:
        with engine.connect() as conn:
            yield conn
    except DBAPIError as error:
        seen = f"{engine.url.render_as_string()}: {str(error.orig).strip().partition(chr(10))[0]}"
        raise Unavailable(seen, hint=REACH if url.get_backend_name() != "sqlite" else REPLACE) from error
    finally:
        engine.dispose()


def file_of(url: URL) -> Path:
    """The file of a SQLite database."""
    return Path(url.database or "")


def write_lock(path: Path) -> None:
    """Take the right to write a SQLite file and give it back: what fails where it cannot be written."""
    connection = sqlite3.connect(_uri(path, mode="rw"), uri=True, timeout=BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be written: {error}.", hint=REPLACE) from error
    finally:
        connection.close()


def _sqlite(url: URL) -> Engine:
    path = file_of(url)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(_uri(path, mode="ro"), uri=True, timeout=BUSY_S)

    return create_engine(url, creator=connect, poolclass=NullPool)


def _postgres(url: URL) -> Engine:
    whole = url.set(drivername="postgresql+psycopg")
    return create_engine(whole, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=dict(CONNECT))


def _uri(path: Path, *, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"
