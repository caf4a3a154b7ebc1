"""Uploads and their names, which jobs rest on them, and figures of test parts.

New columns may be empty and come last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
NEEDS_DATA = sa.text("dataset_id IS NOT NULL AND status NOT IN ('succeeded', 'failed', 'cancelled')")


def upgrade() -> None:
    """Add two tables, and columns to the jobs."""
    _datasets()
    _names()
    for name in ("dataset_id", "test"):
        op.add_column("jobs", sa.Column(name, sa.Text()))
    op.create_index(
        "ix_jobs_dataset_id", "jobs", ["dataset_id", "id"], sqlite_where=NEEDS_DATA, postgresql_where=NEEDS_DATA
    )


def downgrade() -> None:
    """Drop them; the files of the uploads stay where they are."""
    op.drop_index("ix_jobs_dataset_id", "jobs")
    for name in ("test", "dataset_id"):
        op.drop_column("jobs", name)
    for table in ("dataset_names", "datasets"):
        op.drop_table(table)


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("sha256", name="uq_datasets_sha256"),
        sqlite_with_rowid=False,
    )


def _names() -> None:
    op.create_table(
        "dataset_names",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.Text()),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_dataset_names_dataset_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("name", "version", name="pk_dataset_names"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dataset_names_dataset_id", "dataset_names", ["dataset_id"])
