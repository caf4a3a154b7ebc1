"""How a Trainwire process is set up: `TRAINWIRE_*` variables, with the embedded defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_LATE_S = 1.0


def _split(text: object) -> object:
    return tuple(word for word in map(str.strip, text.split(",")) if word) if isinstance(text, str) else text


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Comma-separated in a variable."""


class Settings(BaseSettings):
    """Every setting of the API, the workers and the embedded service; times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINWIRE_",
        # set but empty is unset: an empty key would be one that anybody knows
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )

    database_url: str = "sqlite:///trainwire-data/trainwire.db"
    broker_url: str | None = None
    """Redis, for the distributed service; none when embedded."""
    artifacts: Path = Path("trainwire-data/artifacts")
    """The folder that every process shares."""

    api_key: SecretStr | None = None
    """The one bearer key; without it the API serves loopback only."""
    allowed_hosts: Words = ()
    """Host names, beside loopback and the bound one, that requests may name (comma-separated)."""
    max_body_bytes: PositiveInt = 1_048_576

    max_upload_bytes: PositiveInt = 10 * 1024**3
    """The largest file that is taken in."""
    upload_columns: PositiveInt = 1_000
    upload_rows: PositiveInt = 100_000_000
    upload_cell_bytes: PositiveInt = 1_000_000
    upload_pixels: PositiveInt = 25_000_000
    upload_zip_entries: PositiveInt = 100_000
    upload_zip_bytes: PositiveInt = 20_000_000_000
    upload_zip_ratio: PositiveInt = 200
    """How many times its size an archive may unpack to."""
    upload_memory_bytes: Annotated[int, Field(ge=256 * 1024**2)] = 2_000_000_000
    """What the process that looks into an upload may take."""
    upload_seconds: PositiveFloat = 300.0
    """How long that look may take."""

    predict_body_bytes: PositiveInt = 33_554_432
    """The largest body of rows or pictures to predict."""
    predict_rows: PositiveInt = 10_000
    """How many samples one request may have predicted."""
    predict_seconds: PositiveFloat = 30.0
    """How long a prediction may take before it is given up."""
    predict_models: PositiveInt = 16
    """How many models stay in memory between requests."""
    predict_memory_bytes: PositiveInt = 1_000_000_000
    """How much their weights may take together."""
    export_memory_bytes: Annotated[int, Field(ge=512 * 1024**2)] = 8_000_000_000
    """What the process that exports a model may take."""
    export_seconds: PositiveFloat = 300.0
    """How long an export may take."""

    files: Path | None = None
    """The folder whose files specs may name, the same for the API and the workers; none: only uploads."""

    queues: Words = ("cpu", "gpu")
    """The named queues this worker serves (comma-separated); jobs without a queue run on any worker."""
    slots: PositiveInt | None = None
    """Jobs at a time on this worker; none: one per GPU, else the cores, at most 4."""
    worker_name: str | None = None
    rendezvous: str | None = None
    """Where the nodes of a job meet, `host:port`: an address of this worker's machine that its members reach."""
    nodes: PositiveInt = 1
    """The nodes of the jobs that this worker may take beside those of one: itself and its members."""

    heartbeat_s: PositiveFloat = 3.0
    lease_s: PositiveFloat = 12.0
    sweep_s: PositiveFloat = 1.0
    poll_s: PositiveFloat = 2.0
    """How often a free slot looks at the database although no bell rang."""
    watch_s: PositiveFloat = 0.5
    """How often a worker looks whether its running jobs are to be paused or cancelled, stand still or are overdue."""
    grace_s: PositiveFloat = 10.0
    """How long a run that is asked to stop may take to reach its checkpoint before it is killed."""
    outage_limit_s: PositiveFloat = 600.0
    """How long a run trains on while the database cannot be reached."""
    max_attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    """How often in a row a run may die without a new checkpoint or epoch before its job has failed."""
    max_lost_workers: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many workers in a row may be lost under a job without a new checkpoint or epoch before it has failed."""
    backoff_s: PositiveFloat = 1.0
    """The wait before the third start of a run that keeps dying without progress; it doubles with each further one."""
    max_log_lines: PositiveInt = 10_000

    keep_jobs: PositiveInt | None = None
    """How many ended jobs are kept; none: all. Older ones are deleted, whole."""
    keep_jobs_s: PositiveFloat | None = None
    """How long an ended job is kept; none: for ever."""
    keep_checkpoints_s: PositiveFloat | None = None
    """How long an ended job's checkpoints are kept; none: as long as the job."""
    housekeeping_s: PositiveFloat = 60.0
    """How often a worker looks for what may be deleted."""

    @property
    def late_s(self) -> float:
        """A database that took longer to answer was away, and other workers could not keep their leases meanwhile."""
        return max(self.lease_s / 2, _LATE_S)
