"""How Alembic reaches the database: on the connection it is given, else on `TRAINWIRE_DATABASE_URL`'s."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from core.settings import Settings
from core.store.schema import connection
from core.store.tables import metadata


def run(conn: Connection) -> None:
    """Run what the command asks for, in the transaction that is open."""
    context.configure(connection=conn, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with connection(Settings().database_url) as opened:
        run(opened)
