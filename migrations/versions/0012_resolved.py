"""What a run finds where its spec says "auto".

A new column may be empty and comes last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to the jobs."""
    op.add_column("jobs", sa.Column("resolved", sa.Text()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("jobs", "resolved")
