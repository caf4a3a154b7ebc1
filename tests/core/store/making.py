"""Specs, workers, figures and databases for the store's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import ColumnElement, literal, make_url

from core.checkpoint import Checkpoint, CheckpointFile, Occasion
from core.events import Checkpointed, EpochDone, Failed, Finished, Resumed, Started
from core.job import Artifact, Claim, EpochRow, ErrorInfo, Job, Reason, Worker
from core.settings import Settings
from core.spec import JobSpec, parse_spec
from core.store import Store
from core.store.columns import Instant
from core.store.postgres import Postgres
from core.store.sqlite import Sqlite

STARTED = Started("cpu", 100, 4, 3, 80, 20, 1, {"torch": "2.13.0"})
FINISHED = Finished(Reason.COMPLETED, (Artifact("model.safetensors", "j/1/model.safetensors", "x/y", 7, "ab"),))


KILLED = ErrorInfo("killed_by_signal", "The training process was killed by SIGKILL.", hint="Use a smaller batch_size.")
_numbers = count(1)


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


def a_checkpoint(claim: Claim, epoch: int, step: int = 0, **fields: Any) -> Checkpointed:
    """A checkpoint as the runner passes it on, in the folder of its attempt."""
    given: dict[str, Any] = {
        "id": f"ckpt_{next(_numbers)}",
        "path": f"{claim.job_id}/checkpoints/{claim.attempt}/{epoch:06d}-{step:08d}",
        "occasion": Occasion.TIME,
        "files": (CheckpointFile("model.safetensors", 7, "ab"), CheckpointFile("state.pt", 5, "cd")),
        **fields,
    }
    return Checkpointed(Checkpoint(epoch=epoch, step=step, **given))


def failed(reason: Reason) -> Failed:
    return Failed(reason, ErrorInfo(reason, f"It ended: {reason}."))


def resumed(checkpoint: str = "ckpt_0", *, inexact: str | None = None, best: EpochRow | None = None) -> Started:
    return Started("cpu", 100, 4, 3, 80, 20, 1, {}, Resumed(checkpoint, 2, 1, inexact, best))


def told(job: Job, position: int | None, waiting_for: str | None) -> str:
    """What an API would answer."""
    return f"{job.id} {job.status} {position} {waiting_for}"


def a_claim(store: Store, worker: str = "node") -> Claim:
    """A claim that there must be."""
    claim = store.claim(a_worker(worker))
    assert claim is not None
    return claim


def started(store: Store, **fields: Any) -> Claim:
    """A new job, claimed before all others."""
    job = store.add(a_spec(**{"priority": 10, **fields}))
    claim = a_claim(store)
    assert claim.job_id == job.id
    return claim


class HandClock:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def passes(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def now(self) -> ColumnElement[datetime]:
        return literal(self.moment, Instant())

    def after(self, seconds: float) -> ColumnElement[datetime]:
        return literal(self.moment + timedelta(seconds=seconds), Instant())


def timed(url: str, clock: HandClock, **fields: Any) -> Store:
    """A store that goes by `clock`."""
    kind = Sqlite if url.startswith("sqlite") else Postgres
    return Store(kind(make_url(url), clock=clock), settings(**fields))


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def emptied(url: str) -> str:
    """A migrated PostgreSQL database without a row in it."""
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM jobs")
        connection.execute("DELETE FROM workers")
        connection.execute("DELETE FROM submissions")
        connection.execute("DELETE FROM removed")
        connection.execute("DELETE FROM dataset_names")
        connection.execute("DELETE FROM datasets")
    return url
