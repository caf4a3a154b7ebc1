"""The two doors under siege, each with processes of its own, and how they are set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from core import failpoints
from tests.chaos.private import PrivatePostgres, PrivateRedis
from tests.chaos.services import STOPPED_WITHIN_S, Door, Service

QUICK = {
    "TRAINWIRE_HEARTBEAT_S": "0.3",
    "TRAINWIRE_LEASE_S": "1.5",
    "TRAINWIRE_SWEEP_S": "0.2",
    "TRAINWIRE_POLL_S": "0.5",
    "TRAINWIRE_WATCH_S": "0.1",
    "TRAINWIRE_GRACE_S": "3",
    "TRAINWIRE_BACKOFF_S": "0.05",
}
"""The times of the always-on size; the full size runs with the defaults."""
PATIENT = {"TRAINWIRE_MAX_ATTEMPTS": "1000", "TRAINWIRE_MAX_LOST_WORKERS": "1000"}
"""The monkeys may kill a run again before it got anywhere, more often in a row than a failing run is tried."""


@dataclass
class EmbeddedDoor(Door):
    """`trainwire up`: one process, SQLite."""

    module: str = field(default="trainwire", kw_only=True)
    """What is run as the command line."""

    @property
    def kind(self) -> str:
        return "embedded"

    @property
    def api(self) -> Service:
        return self.services["up"]

    @property
    def workers(self) -> list[Service]:
        return [self.api]

    def start(self, *missing: str, **env: str) -> None:  # noqa: ARG002 - there is but one process
        if "up" not in self.services:
            self.spawn("up", self.module, "up", "--port", str(self.port), "--data", str(self.folder), **env)
        self.wait_ready()


@dataclass
class CeleryDoor(Door):
    """An API and two Celery workers that share a PostgreSQL, a Redis and a folder."""

    postgres: PrivatePostgres = field(kw_only=True)
    redis: PrivateRedis = field(kw_only=True)
    app: str = field(default="worker.app", kw_only=True)
    """The module that the workers run."""

    @property
    def kind(self) -> str:
        return "celery"

    @property
    def api(self) -> Service:
        return self.services["api"]

    @property
    def workers(self) -> list[Service]:
        return [self.services[name] for name in ("one", "two") if name in self.services]

    @property
    def env(self) -> dict[str, str]:
        """Where everything is."""
        return {
            "TRAINWIRE_DATABASE_URL": self.postgres.url,
            "TRAINWIRE_BROKER_URL": self.redis.url,
            "TRAINWIRE_ARTIFACTS": str(self.artifacts),
        }

    def migrate(self) -> None:
        """Prepare the database and the folder."""
        migration = self.spawn("migrate", "trainwire", "migrate", **self.env)
        assert migration.process.wait(timeout=STOPPED_WITHIN_S) == 0
        del self.services["migrate"]

    def start(self, *missing: str, **env: str) -> None:
        wanted = [name for name in missing or ("api", "one", "two") if name not in self.services]
        for name in wanted:
            self.spawn(name, *self._command(name), **self.env, **env)
        self.wait_ready()

    def _command(self, name: str) -> list[str]:
        if name == "api":
            return ["api", "--host", "127.0.0.1", "--port", str(self.port)]
        options = f"-P threads -c 2 -Q cpu -n {name}@%h -l WARNING --without-gossip --without-mingle"
        return ["celery", "-A", self.app, "worker", *options.split()]


def settings(folder: Path, *, full: bool) -> dict[str, str]:
    """How a service is set up: quick or with the defaults, and armed (`harm.arm`) for any failpoint."""
    return {**({} if full else QUICK), **PATIENT, failpoints.VARIABLE: f"{failpoints.ANY}@{flag(folder)}"}


def flag(folder: Path) -> Path:
    """The file that says at which failpoint to die."""
    return folder / "failpoint"


Running = TypeVar("Running", bound=Door)


def running(door: Running, *only: str) -> Iterator[Running]:
    """The service (or `only` these of its processes), started before and stopped behind."""
    try:
        door.start(*only)
        yield door
    finally:
        door.stop()
