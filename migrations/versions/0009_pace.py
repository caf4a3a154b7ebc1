"""The key that jobs share whose epochs take as long, by which earlier ones tell how long a new one will take.

A new column may be empty and comes last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and its index to the jobs."""
    op.add_column("jobs", sa.Column("pace", sa.Text()))
    op.create_index("ix_jobs_pace_id", "jobs", ["pace", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_jobs_pace_id", "jobs")
    op.drop_column("jobs", "pace")
