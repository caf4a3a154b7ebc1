from __future__ import annotations

import math

from core.events import EpochDone
from core.store import Store
from tests.core.store.making import a_row, a_spec, started


def test_curves_are_the_columns_of_the_epochs(store: Store) -> None:
    claim = started(store)
    told = [a_row(1), a_row(2, train_loss=math.nan, metrics={"val_accuracy": math.inf}), a_row(3, val_loss=None)]
    store.record(claim, [EpochDone(row, best=False) for row in told])
    rows = store.epochs(claim.job_id)
    found = store.curves(claim.job_id, ["val_accuracy", "train_loss", "lr", "val_loss", "nothing"])
    assert list(found.epochs) == [1, 2, 3]
    assert {name: list(map(repr, values)) for name, values in found.figures.items()} == {
        "val_accuracy": [repr(row.metrics.get("val_accuracy")) for row in rows],
        "train_loss": [repr(row.train_loss) for row in rows],
        "lr": [repr(row.lr) for row in rows],
        "val_loss": [repr(row.val_loss) for row in rows],
        "nothing": ["None"] * 3,
    }


def test_a_job_without_epochs_has_empty_curves(store: Store) -> None:
    found = store.curves(store.add(a_spec()).id, ["train_loss", "val_accuracy"])
    assert (list(found.epochs), {name: list(values) for name, values in found.figures.items()}) == (
        [],
        {"train_loss": [], "val_accuracy": []},
    )
