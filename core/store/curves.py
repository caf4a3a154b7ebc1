"""A job's figures as columns, for drawing many jobs at once: only those asked for are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, select, type_coerce

from core import wire
from core.store.backend import Tx
from core.store.tables import epochs

_COLUMNS = {
    name: epochs.c[name]
    for name in ("train_loss", "val_loss", "lr", "epoch_s", "samples_per_s", "data_wait_s", "fold", "seed")
}
_METRICS = type_coerce(epochs.c.metrics, Text).label("metrics")


@dataclass(frozen=True, slots=True)
class Curves:
    """The numbers of the epochs and, as long, the values of each figure: None where an epoch has none."""

    epochs: Sequence[int]
    figures: Mapping[str, Sequence[float | None]]


def curves(tx: Tx, job_id: str, figures: Sequence[str]) -> Curves:
    """All epochs of the job with these figures, in order."""
    own = [name for name in figures if name in _COLUMNS]
    metrics = [name for name in figures if name not in _COLUMNS]
    wanted = select(epochs.c.epoch, *(_COLUMNS[name] for name in own), *([_METRICS] if metrics else []))
    ordered = wanted.where(epochs.c.job_id == bindparam("id")).order_by(epochs.c.epoch)
    found = tx.conn.execute(ordered, {"id": job_id}).all()
    columns: list[Sequence[Any]] = list(zip(*found, strict=True)) or [()] * (1 + len(own) + bool(metrics))
    told = [wire.exact(json.loads(text)) for text in columns[-1]] if metrics else []
    measured = {name: [row.get(name) for row in told] for name in metrics}
    return Curves(columns[0], {**dict(zip(own, columns[1:], strict=False)), **measured})
