"""A service of its own for a measurement: started on a free port and a temporary folder, ended at the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    began: float
    """When its command was given, on `time.perf_counter`'s clock."""
    ready_s: float
    """Seconds from the command to the first 200 of /readyz."""
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """As the system does when it has no memory left."""
        self.process.kill()
        self.process.wait()


@contextmanager
def service() -> Iterator[Service]:
    """`trainwire up` as a user starts it, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, service_in(folder) as up:
        yield up


@contextmanager
def service_in(folder: str) -> Iterator[Service]:
    """`trainwire up` in a folder that may hold jobs."""
    url = f"http://127.0.0.1:{free_port()}"
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "trainwire", "up", "--port", url.rpartition(":")[2], "--data", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(url))
        yield Service(url, began, ready_s=time.perf_counter() - began, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_warm(url: str) -> None:
    """Wait until no slot is warming any more."""
    wait_until(lambda: "warming" not in httpx.get(f"{url}/readyz").text)


def wait_until(
    holds: Callable[[], bool],
    *,
    within_s: float = READY_WITHIN_S,
    every_s: float = 0.01,
    otherwise: str = "the service did not come up",
) -> None:
    """Look again and again until it holds; raises TimeoutError with what to say `otherwise`."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(every_s)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
