"""The loss of each job's best epoch as a column, and indexes by which jobs are listed in other orders than by age.

A new column may be empty and comes last, so that no table is copied and the version before still runs on these tables;
a job that it trains meanwhile has its loss there with the next epoch that is better.
"""

from __future__ import annotations

import json
import math
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FIGURES = ("name", "best_loss", "finished_at")
AT_ONCE = 1000


def upgrade() -> None:
    """Add the column, filled from what is there, and the indexes."""
    op.add_column("jobs", sa.Column("best_loss", sa.Double()))
    fill()
    for figure in FIGURES:
        op.create_index(f"ix_jobs_status_{figure}_id", "jobs", ["status", figure, "id"])


def downgrade() -> None:
    """Drop them."""
    for figure in FIGURES:
        op.drop_index(f"ix_jobs_status_{figure}_id", "jobs")
    op.drop_column("jobs", "best_loss")


def fill() -> None:
    """Take the losses out of what was stored as JSON."""
    jobs = sa.table("jobs", sa.column("id", sa.Text), sa.column("best", sa.Text), sa.column("best_loss", sa.Double))
    conn, after = op.get_bind(), ""
    wanted = sa.select(jobs.c.id, jobs.c.best).where(jobs.c.best.is_not(None)).order_by(jobs.c.id).limit(AT_ONCE)
    setting = sa.update(jobs).where(jobs.c.id == sa.bindparam("job")).values(best_loss=sa.bindparam("loss"))
    while found := conn.execute(wanted.where(jobs.c.id > after)).all():
        losses = [{"job": row.id, "loss": loss} for row in found if (loss := loss_of(row.best)) is not None]
        if losses:
            conn.execute(setting, losses)
        after = found[-1].id


def loss_of(best: str) -> float | None:
    """The loss of an epoch: of validation where there was one; None where it is no number, or the row is damaged."""
    try:
        row: Any = json.loads(best)
        loss = row["val_loss"] if "val_loss" in row else row["train_loss"]
    except (ValueError, TypeError, KeyError):
        return None
    return float(loss) if isinstance(loss, int | float) and math.isfinite(loss) else None
