"""Folds: which one an epoch is of, and the figures of all of them.

New columns may be empty and come last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to the epochs and one to the jobs."""
    op.add_column("epochs", sa.Column("fold", sa.Integer()))
    op.add_column("jobs", sa.Column("folds", sa.Text()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("jobs", "folds")
    op.drop_column("epochs", "fold")
