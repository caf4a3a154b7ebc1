"""How much main memory there is, and a limit under which a trial fails before the system kills it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_SHARE = 0.5
"""Of what is free: others have jobs here too, and this one has more to do than to train."""
_GROUP = Path("/sys/fs/cgroup")
_KIB = 1024


def room() -> int | None:
    """Bytes of main memory that a trial may take: its share of what is free, within RLIMIT_DATA; None: nobody knows.

    Free is what the system says is available, or what the control group leaves (version 2, in a container).
    """
    found = [int(_SHARE * free) for free in (_available(), _left_by_group()) if free is not None]
    soft = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if soft != resource.RLIM_INFINITY and (held := proc("self/status", "VmData")) is not None:
        found.append(soft - held)
    return max(0, min(found)) if found else None


@contextmanager
def within(most: int | None) -> Iterator[None]:
    """An allocation of main memory beyond `most` more bytes fails in here, and says so (Linux, RLIMIT_DATA)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    held = proc("self/status", "VmData")
    if most is not None and held is not None:
        limit = held + most
        resource.setrlimit(resource.RLIMIT_DATA, (limit if soft == resource.RLIM_INFINITY else min(soft, limit), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _available() -> int | None:
    return proc("meminfo", "MemAvailable")


def _left_by_group() -> int | None:
    with suppress(OSError, ValueError):  # there is no limit, or no control group
        return int((_GROUP / "memory.max").read_text()) - int((_GROUP / "memory.current").read_text())
    return None


def proc(file: str, name: str) -> int | None:
    """A line of a file below `/proc`, in bytes (Linux, manual page 5); None where there is none such."""
    with suppress(OSError, StopIteration):
        lines = (Path("/proc") / file).read_text().splitlines()
        return _KIB * int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])
    return None
