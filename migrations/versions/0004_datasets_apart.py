"""The datasets that jobs need beside the one they train on: for validation and for the test.

The table is new, so the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "job_datasets",
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_datasets_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset_id", "job_id", name="pk_job_datasets"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_datasets_job_id", "job_datasets", ["job_id"])


def downgrade() -> None:
    """Drop it; such datasets can then be deleted under their jobs."""
    op.drop_table("job_datasets")
