"""The database's tables brought up to date (Alembic), once, whoever asks first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core.errors import StartRefused
from core.store.databases import parse
from core.store.postgres import migrating_engine
from core.store.sqlite import file_of, writing_engine

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
"""The room beside `core`, in a checkout and in an installed wheel alike."""
LOCK = text("SELECT pg_advisory_xact_lock(7308332)")
"""Held while migrating: of many processes that start at once, one migrates and the others then find it done."""


def upgrade(url: str) -> None:
    """Bring the tables up to date, in one transaction; raises StartRefused for a database newer than this code."""
    with connection(url) as conn:
        _refuse_newer(conn)
        command.upgrade(config(conn), "head")


def is_current(url: str) -> bool:
    """Whether the tables are those of this code; raises StartRefused for a database newer than it."""
    with connection(url) as conn:
        return _refuse_newer(conn) == head()


def head() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def config(conn: Connection) -> Config:
    """Alembic's configuration for work on an open connection."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = conn
    return settings


@contextmanager
def connection(url: str) -> Iterator[Connection]:
    """A transaction in which to migrate: alone, and all or nothing."""
    engine = _engine(url)
    try:
        with engine.begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(LOCK)
            yield conn
    except DBAPIError as error:
        cause = str(error.orig).strip().partition("\n")[0]
        message = f"The database {engine.url.render_as_string()} cannot be used: {cause}."
        raise StartRefused(message) from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        file_of(parsed)
        return writing_engine(parsed)
    return migrating_engine(parsed)


def _refuse_newer(conn: Connection) -> str | None:
    """The database's revision; raises StartRefused for one that this code does not know."""
    revision = MigrationContext.configure(conn).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if revision is not None and revision not in known:
        message = f"The database is at revision {revision!r}, which this version of Trainwire does not know."
        raise StartRefused(message, hint="Install the newer Trainwire that migrated it, or use another database.")
    return revision
