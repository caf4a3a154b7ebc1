"""Which database a URL names."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import StartRefused
from core.store.backend import Backend
from core.store.postgres import Postgres
from core.store.sqlite import Sqlite


def open_database(url: str) -> Backend:
    """The database behind `url`; raises StartRefused."""
    parsed = parse(url)
    return Sqlite(parsed) if parsed.get_backend_name() == "sqlite" else Postgres(parsed)


def parse(url: str) -> URL:
    """A SQLite or PostgreSQL URL; raises StartRefused, without telling the password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.drivername == "postgres":
        parsed = parsed.set(drivername="postgresql")
    if parsed is None or parsed.drivername not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        message = "The database URL must begin with sqlite:/// or postgresql://."
        raise StartRefused(message, hint="Set TRAINWIRE_DATABASE_URL.")
    return parsed
