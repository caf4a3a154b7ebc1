"""The jobs whose weights other jobs start from.

The table is new, so the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "job_sources",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_sources_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source_id", "job_id", name="pk_job_sources"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_sources_job_id", "job_sources", ["job_id"])


def downgrade() -> None:
    """Drop it; such jobs can then be deleted under those that start from them."""
    op.drop_table("job_sources")
