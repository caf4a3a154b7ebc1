"""Checkpoints, what is counted of failures and time, forks, idempotency keys and deleted jobs.

New columns have defaults and come last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add columns to the jobs, and three tables."""
    for column in _job_columns():
        op.add_column("jobs", column)
    op.create_index("ix_job_labels_job_id", "job_labels", ["job_id"])
    _checkpoints()
    _submissions()
    _removed()


def downgrade() -> None:
    """Drop them; what jobs could be resumed from is lost."""
    for table in ("removed", "submissions", "checkpoints"):
        op.drop_table(table)
    op.drop_index("ix_job_labels_job_id", "job_labels")
    for column in reversed(_job_columns()):
        op.drop_column("jobs", column.name)


def _job_columns() -> list[sa.Column[object]]:
    zero = sa.text("0")
    return [
        sa.Column("lost", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("no_space", sa.Integer(), nullable=False, server_default=zero),
        sa.Column("run_s", sa.Double(), nullable=False, server_default=zero),
        sa.Column("not_before", INSTANT),
        sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("inexact", sa.Text()),
        sa.Column("lineage", sa.Text()),
    ]


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("cost", sa.Double()),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_checkpoints_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "id", name="pk_checkpoints"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_checkpoints_home", "checkpoints", ["home"])


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_submissions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])


def _removed() -> None:
    op.create_table(
        "removed",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removed"),
        sqlite_with_rowid=False,
    )
