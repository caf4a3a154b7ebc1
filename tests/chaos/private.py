"""A PostgreSQL and a Redis of the chaos suite's own, which it may stop, kill and empty."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
import redis

from tests.acceptance.processes import free_port, wait_until

_STOPPED_WITHIN_S = 30.0
_BIN_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")
_UNPRIVILEGED = ("postgres", "nobody")
_Kind = TypeVar("_Kind", bound="Server")


class Server(ABC):
    """A server in a folder of its own, on a port that stays the same when it comes back."""

    at_once = signal.SIGKILL
    """What ends it with whatever it was doing half done."""

    def __init__(self, *, user: str | None = None) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="trainwire-chaos-"))
        self.user = user
        if user:
            shutil.chown(self.folder, user)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """What runs it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes requests."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd=self.folder, user=self.user, start_new_session=True
            )
        wait_until(self.answers)

    def stop(self, sign: int) -> None:
        """End it by a signal, which says how."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(timeout=_STOPPED_WITHIN_S)
            self._process = None

    def crash(self) -> None:
        """End it at once, with whatever it was doing half done, and bring it back."""
        self.stop(self.at_once)
        self.start()

    def remove(self) -> None:
        """End it for good and take its folder away."""
        self.stop(self.at_once)
        shutil.rmtree(self.folder, ignore_errors=True)


class PrivatePostgres(Server):
    """A PostgreSQL: SIGQUIT is its immediate shutdown, behind which it recovers from its log."""

    at_once = signal.SIGQUIT

    def __init__(self, binaries: Path) -> None:
        # it refuses to run as root
        super().__init__(user=_unprivileged() if os.geteuid() == 0 else None)
        self._binaries = binaries
        self._data = self.folder / "data"
        # the machine itself never dies here, so the disk need not be waited for
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(
            [binaries / "initdb", "-D", self._data, *options],
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=self.user,
        )

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def command(self) -> list[str]:
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=100"]
        options = [word for setting in settings for word in ("-c", setting)]
        return [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options]

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=3):
            return True
        return False


class PrivateRedis(Server):
    """A Redis that keeps nothing: whoever comes back from a crash is empty."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as server:
            return bool(server.ping())
        return False

    def flush(self) -> None:
        """Forget everything: queues, what is on its way, who listens to what."""
        with redis.Redis.from_url(self.url) as server:
            server.flushall()


@contextmanager
def a_private_postgres() -> Iterator[PrivatePostgres]:
    """A running PostgreSQL, removed behind; skips on a laptop without one."""
    binaries = _postgres_binaries()
    if binaries is None:
        _without("PostgreSQL's initdb and postgres")
    else:
        yield from _running(PrivatePostgres(binaries))


@contextmanager
def a_private_redis() -> Iterator[PrivateRedis]:
    """A running Redis, removed behind; skips on a laptop without one."""
    if shutil.which("redis-server") is None:
        _without("redis-server")
    yield from _running(PrivateRedis())


def _running(server: _Kind) -> Iterator[_Kind]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _postgres_binaries() -> Path | None:
    """Where this machine's PostgreSQL is: on the PATH, where pg_config says, or where packages put it."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    if asked := shutil.which("pg_config"):
        told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(told.stdout.strip()))
    candidates += [path for pattern in _BIN_FOLDERS for path in sorted(Path("/").glob(pattern), reverse=True)]
    return next((path for path in candidates if (path / "initdb").is_file() and (path / "postgres").is_file()), None)


def _unprivileged() -> str | None:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _UNPRIVILEGED if name in known), None)


def _without(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")
