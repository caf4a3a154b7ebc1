"""Several seeds: which one an epoch is of, and the figures of all of them.

New columns may be empty and come last, so that no table is copied and the version before still runs on these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to the epochs and one to the jobs."""
    op.add_column("epochs", sa.Column("seed", sa.BigInteger()))
    op.add_column("jobs", sa.Column("seeds", sa.Text()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("jobs", "seeds")
    op.drop_column("epochs", "seed")
