"""Specs, workers, figures and databases for the store's tests."""

from __future__ import annotations

from typing import Any

import psycopg

from core.events import EpochDone, Finished, Started
from core.job import Artifact, EpochRow, Reason, Worker
from core.settings import Settings
from core.spec import JobSpec, parse_spec

STARTED = Started("cpu", 100, 4, 3, 80, 20, 1, {"torch": "2.13.0"})
FINISHED = Finished(Reason.COMPLETED, (Artifact("model.safetensors", "j/1/model.safetensors", "x/y", 7, "ab"),))


def a_spec(**fields: Any) -> JobSpec:
    return parse_spec({"dataset": "iris", "model": "linear", **fields})


def a_worker(name: str = "node", **fields: Any) -> Worker:
    given: dict[str, Any] = {"devices": ("cpu",), "slots": 2, "queues": ("cpu",), **fields}
    return Worker(id=f"wk_{name}", name=name, **given)


def a_row(epoch: int, **figures: Any) -> EpochRow:
    given: dict[str, Any] = {
        "train_loss": 1 / epoch,
        "val_loss": 2 / epoch,
        "metrics": {"val_accuracy": 0.5},
        **figures,
    }
    return EpochRow(epoch, lr=0.1, epoch_s=0.01, samples_per_s=8000.0, data_wait_s=0.001, **given)


def an_epoch(epoch: int, *, best: bool = False, **figures: Any) -> EpochDone:
    return EpochDone(a_row(epoch, **figures), best=best)


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def emptied(url: str) -> str:
    """A migrated PostgreSQL database without a row in it."""
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM jobs")
        connection.execute("DELETE FROM workers")
    return url
