"""A service for as long as a command needs one: the one that runs on the folder, else a child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import StartRefused
from trainwire import folder

_STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service listens, and whether this command started it."""

    url: str
    is_ours: bool


@contextmanager
def service_on(data: Path) -> Generator[Service]:
    """The service on the folder `data`: found running, or started on a free port and stopped behind the block."""
    if url := folder.running_url(data):
        yield Service(url, is_ours=False)
        return
    with _terminable(), tempfile.TemporaryFile() as complaints, _started(data, complaints) as child:
        try:
            yield Service(_announced(child, complaints), is_ours=True)
        finally:
            _stop(child)


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM and a closed terminal end this command by an exception, so that its service ends too."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = {sign: signal.signal(sign, end) for sign in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _started(data: Path, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches the command, which then stops the service."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainwire", "up", "--port", "0", "--data", str(data), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        start_new_session=True,
    )


def _announced(child: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    assert child.stdout is not None  # noqa: S101 (asked for above)
    line = child.stdout.readline()
    if line:
        return str(json.loads(line)["url"])
    child.wait()
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip()
    raise StartRefused(said or f"The service ended with exit code {child.returncode} before it was ready.")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(timeout=_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
