"""Trials of specs: a row while somebody waits for what came of it.

The table is new, so the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "probes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text()),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("wanted_until", INSTANT, nullable=False),
        sa.Column("worker_id", sa.Text()),
        sa.Column("lease_until", INSTANT),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_probes"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop it; who waits is told that nobody answered."""
    op.drop_table("probes")
