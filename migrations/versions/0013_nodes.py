"""On how many nodes a job trains, and a worker may train one; none is one.

New columns may be empty and come last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("jobs", "workers")


def upgrade() -> None:
    """Add a column to the jobs and to the workers."""
    for table in _TABLES:
        op.add_column(table, sa.Column("nodes", sa.Integer()))


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_column(table, "nodes")
