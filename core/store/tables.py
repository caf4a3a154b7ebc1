"""The tables; `migrations/` holds their history and a test holds the two equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypedColumns,
    false,
    text,
)

from core.checkpoint import Occasion
from core.job import EventType, Reason, Status
from core.store.belongings import DatasetColumns, DatasetNameColumns, JobDatasetColumns, JobSourceColumns
from core.store.columns import ExactFloat, Instant, JsonText, Words

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
}

IS_QUEUED = "status = 'queued'"
IS_HELD = "status IN ('running', 'pausing', 'cancelling')"
IS_TRANSITION = "type IN ('status', 'end')"
IS_LOG = "type = 'log'"
NEEDS_DATA = "dataset_id IS NOT NULL AND status NOT IN ('succeeded', 'failed', 'cancelled')"
"""What partial indexes cover; a statement must say it in these very words, or no database uses the index."""

metadata = MetaData(naming_convention=NAMES)


class JobColumns(TypedColumns):
    """A job: what was asked, how it stands, who holds it until when.

    `failures`, `lost` and `no_space` count ends of the run without a new checkpoint or epoch since: its own deaths, its
    workers', and full disks. `run_s` is the time that all attempts ran; no claim before `not_before`; `forced`: kill.
    `dataset_id` is the upload that the job rests on, `test`, `folds`, `seeds` and `sharpness` are figures told at the
    end, `memory` is what it took; `pace` is shared by jobs whose epochs take as long; `best_loss` is that of `best`, by
    which jobs are listed, empty where it is no number.
    """

    id: Column[str] = Column(Text, primary_key=True)
    name: Column[str] = Column(Text, nullable=False)
    status: Column[Status] = Column(Words(Status), nullable=False)
    status_reason: Column[Reason | None] = Column(Words(Reason))
    spec: Column[Any] = Column(JsonText, nullable=False)
    priority: Column[int] = Column(Integer, nullable=False)
    queue: Column[str | None] = Column(Text)
    device: Column[str] = Column(Text, nullable=False)
    attempt: Column[int] = Column(Integer, nullable=False)
    failures: Column[int] = Column(Integer, nullable=False)
    last_seq: Column[int] = Column(Integer, nullable=False)
    log_lines: Column[int] = Column(Integer, nullable=False)
    progress: Column[Any] = Column(JsonText, nullable=True)
    latest: Column[Any] = Column(JsonText, nullable=True)
    best: Column[Any] = Column(JsonText, nullable=True)
    error: Column[Any] = Column(JsonText, nullable=True)
    parent: Column[Any] = Column(JsonText, nullable=True)
    worker_id: Column[str | None] = Column(Text)
    worker_name: Column[str | None] = Column(Text)
    worker_device: Column[str | None] = Column(Text)
    lease_until: Column[datetime | None] = Column(Instant)
    created_at: Column[datetime] = Column(Instant, nullable=False)
    started_at: Column[datetime | None] = Column(Instant)
    finished_at: Column[datetime | None] = Column(Instant)
    lost: Column[int] = Column(Integer, nullable=False, server_default=text("0"))
    no_space: Column[int] = Column(Integer, nullable=False, server_default=text("0"))
    run_s: Column[float] = Column(ExactFloat, nullable=False, server_default=text("0"))
    not_before: Column[datetime | None] = Column(Instant)
    forced: Column[bool] = Column(Boolean, nullable=False, server_default=false())
    inexact: Column[str | None] = Column(Text)
    lineage: Column[Any] = Column(JsonText, nullable=True)
    dataset_id: Column[str | None] = Column(Text)
    test: Column[Any] = Column(JsonText, nullable=True)
    folds: Column[Any] = Column(JsonText, nullable=True)
    memory: Column[Any] = Column(JsonText, nullable=True)
    seeds: Column[Any] = Column(JsonText, nullable=True)
    sharpness: Column[Any] = Column(JsonText, nullable=True)
    pace: Column[str | None] = Column(Text)
    devices: Column[int | None] = Column(Integer)
    resolved: Column[Any] = Column(JsonText, nullable=True)
    nodes: Column[int | None] = Column(Integer)
    best_loss: Column[float | None] = Column(ExactFloat)


class LabelColumns(TypedColumns):
    """The labels by which jobs are found; what a job shows is in its spec."""

    key: Column[str] = Column(Text, primary_key=True)
    value: Column[str] = Column(Text, primary_key=True)
    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)


class EventColumns(TypedColumns):
    """A job's log; `data` is JSON text as the wire carries it."""

    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Column[int] = Column(Integer, primary_key=True)
    at: Column[datetime] = Column(Instant, nullable=False)
    type: Column[EventType] = Column(Words(EventType), nullable=False)
    data: Column[str] = Column(Text, nullable=False)


class EpochColumns(TypedColumns):
    """A job's figures, one row per epoch, exact."""

    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Column[int] = Column(Integer, primary_key=True)
    train_loss: Column[float] = Column(ExactFloat, nullable=False)
    val_loss: Column[float | None] = Column(ExactFloat)
    metrics: Column[Any] = Column(JsonText, nullable=False)
    lr: Column[float] = Column(ExactFloat, nullable=False)
    epoch_s: Column[float] = Column(ExactFloat, nullable=False)
    samples_per_s: Column[float] = Column(ExactFloat, nullable=False)
    data_wait_s: Column[float] = Column(ExactFloat, nullable=False)
    fold: Column[int | None] = Column(Integer)
    seed: Column[int | None] = Column(BigInteger)


class ArtifactColumns(TypedColumns):
    """The files that a job made."""

    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Column[str] = Column(Text, primary_key=True)
    path: Column[str] = Column(Text, nullable=False)
    media_type: Column[str] = Column(Text, nullable=False)
    bytes: Column[int] = Column(BigInteger, nullable=False)
    sha256: Column[str] = Column(Text, nullable=False)
    created_at: Column[datetime] = Column(Instant, nullable=False)


class CheckpointColumns(TypedColumns):
    """Where a job can go on: only what has a row counts. `home` is the job in whose folder the files lie."""

    job_id: Column[str] = Column(Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    id: Column[str] = Column(Text, primary_key=True)
    home: Column[str] = Column(Text, nullable=False)
    path: Column[str] = Column(Text, nullable=False)
    attempt: Column[int] = Column(Integer, nullable=False)
    epoch: Column[int] = Column(Integer, nullable=False)
    step: Column[int] = Column(Integer, nullable=False)
    occasion: Column[Occasion] = Column(Words(Occasion), nullable=False)
    cost: Column[float | None] = Column(ExactFloat)
    files: Column[Any] = Column(JsonText, nullable=False)
    created_at: Column[datetime] = Column(Instant, nullable=False)


class SubmissionColumns(TypedColumns):
    """Idempotency-Keys: the request that each came with, the job it made and the answer."""

    key: Column[str] = Column(Text, primary_key=True)
    request: Column[str] = Column(Text, nullable=False)
    job_id: Column[str] = Column(Text, nullable=False)
    answer: Column[str] = Column(Text, nullable=False)
    version: Column[int] = Column(Integer, nullable=False)
    created_at: Column[datetime] = Column(Instant, nullable=False)


class RemovedColumns(TypedColumns):
    """The jobs and datasets that were deleted."""

    id: Column[str] = Column(Text, primary_key=True)
    at: Column[datetime] = Column(Instant, nullable=False)


class ProbeColumns(TypedColumns):
    """Trials that somebody waits for until `wanted_until`, by the clock of the leases: who does it, what came."""

    id: Column[str] = Column(Text, primary_key=True)
    spec: Column[Any] = Column(JsonText, nullable=False)
    queue: Column[str | None] = Column(Text)
    device: Column[str] = Column(Text, nullable=False)
    wanted_until: Column[datetime] = Column(Instant, nullable=False)
    worker_id: Column[str | None] = Column(Text)
    lease_until: Column[datetime | None] = Column(Instant)
    answer: Column[Any] = Column(JsonText, nullable=True)


class WorkerColumns(TypedColumns):
    """The workers; alive until `alive_until`, by the clock of the leases."""

    id: Column[str] = Column(Text, primary_key=True)
    name: Column[str] = Column(Text, nullable=False)
    devices: Column[Any] = Column(JsonText, nullable=False)
    slots: Column[int] = Column(Integer, nullable=False)
    queues: Column[Any] = Column(JsonText, nullable=False)
    started_at: Column[datetime] = Column(Instant, nullable=False)
    heartbeat_at: Column[datetime] = Column(Instant, nullable=False)
    alive_until: Column[datetime] = Column(Instant, nullable=False)
    nodes: Column[int | None] = Column(Integer)


jobs = Table("jobs", metadata, JobColumns)
job_labels = Table("job_labels", metadata, LabelColumns, sqlite_with_rowid=False)
events = Table("events", metadata, EventColumns, sqlite_with_rowid=False)
epochs = Table("epochs", metadata, EpochColumns, sqlite_with_rowid=False)
artifacts = Table("artifacts", metadata, ArtifactColumns, sqlite_with_rowid=False)
checkpoints = Table("checkpoints", metadata, CheckpointColumns, sqlite_with_rowid=False)
submissions = Table("submissions", metadata, SubmissionColumns, sqlite_with_rowid=False)
removed = Table("removed", metadata, RemovedColumns, sqlite_with_rowid=False)
datasets = Table("datasets", metadata, DatasetColumns, sqlite_with_rowid=False)
dataset_names = Table("dataset_names", metadata, DatasetNameColumns, sqlite_with_rowid=False)
job_datasets = Table("job_datasets", metadata, JobDatasetColumns, sqlite_with_rowid=False)
job_sources = Table("job_sources", metadata, JobSourceColumns, sqlite_with_rowid=False)
probes = Table("probes", metadata, ProbeColumns, sqlite_with_rowid=False)
workers = Table("workers", metadata, WorkerColumns)


def _partial(name: str, *columns: Any, where: str) -> None:
    Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


Index("ix_jobs_status_id", jobs.c.status, jobs.c.id)
Index("ix_jobs_name_id", jobs.c.name, jobs.c.id)
for _figure in (jobs.c.name, jobs.c.best_loss, jobs.c.finished_at):
    Index(f"ix_jobs_status_{_figure.name}_id", jobs.c.status, _figure, jobs.c.id)
Index("ix_jobs_pace_id", jobs.c.pace, jobs.c.id)
Index("ix_job_labels_job_id", job_labels.c.job_id)
Index("ix_checkpoints_home", checkpoints.c.home)
Index("ix_submissions_created_at", submissions.c.created_at)
Index("ix_job_datasets_job_id", job_datasets.c.job_id)
Index("ix_job_sources_job_id", job_sources.c.job_id)
Index("ix_dataset_names_dataset_id", dataset_names.c.dataset_id)
_partial("ix_jobs_queue", jobs.c.priority.desc(), jobs.c.id, jobs.c.queue, jobs.c.device, where=IS_QUEUED)
_partial("ix_jobs_held", jobs.c.worker_id, jobs.c.lease_until, where=IS_HELD)
_partial("ix_jobs_dataset_id", jobs.c.dataset_id, jobs.c.id, where=NEEDS_DATA)
_partial("ix_events_transitions", events.c.job_id, events.c.seq, where=IS_TRANSITION)
_partial("ix_events_logs", events.c.job_id, events.c.seq, where=IS_LOG)


def by(index: str) -> str:
    """The hint with which SQLite, which keeps no statistics, uses a partial index; it fails if it cannot."""
    return f"INDEXED BY {index}"
