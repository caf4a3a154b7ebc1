"""Real processes for tests: the command line to its end, and a service for as long as a test needs it."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 30.0
_PORTS = (15_000, 32_000)


@dataclass(frozen=True)
class Up:
    """A `trainwire up` that listens."""

    process: subprocess.Popen[str]
    url: str
    data: Path

    def stop(self, sign: int = signal.SIGTERM) -> float:
        """End it; returns how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(timeout=STOPPED_WITHIN_S)
        return time.monotonic() - began


@contextmanager
def up(data: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[Up]:
    """`trainwire up` on `data`, on a free port unless `options` say otherwise; ended behind the block."""
    process = subprocess.Popen(
        [*command(), "up", "--json", "--port", "0", "--data", str(data), *options],
        env=environment(env),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Up(process, url=json.loads(process.stdout.readline())["url"], data=data)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=STOPPED_WITHIN_S)


def trainwire(*arguments: str, env: dict[str, str] | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
    """One command of the command line, to its end."""
    return subprocess.run(
        [*command(), *arguments],
        env=environment(env),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def command() -> list[str]:
    """How the command line is started here."""
    return [sys.executable, "-m", "trainwire"]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would set a service up, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRAINWIRE_")}
    return {**kept, **(more or {})}


def wait_until(holds: Callable[[], bool], *, within_s: float = READY_WITHIN_S) -> None:
    """Return once `holds()` is true."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on now, below those that the system gives to clients.

    A client that asks again and again for a port of its own range ends up connected to itself, and the port is taken.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().randrange(*_PORTS)))
            return int(probe.getsockname()[1])
