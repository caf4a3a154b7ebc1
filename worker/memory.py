"""Main memory: how much of it a run may hold, and whether the system killed a process for want of it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GB = 10**9
_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def limit(memory_gb: float | None) -> None:
    """Let this process, and each that it forks, hold so much memory; beyond it an allocation fails and says so.

    RLIMIT_DATA counts what is private and written to, not what is shared with the forkserver's files (Linux).
    """
    if memory_gb is not None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = int(memory_gb * _GB) if hard == resource.RLIM_INFINITY else min(int(memory_gb * _GB), hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def kills(*, cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """How many processes of our control group the system has killed for want of memory; 0 where it does not say.

    Version 2 counts in `memory.events`, version 1 in `memory.oom_control` (Linux, admin-guide/cgroup-v1/memory).
    """
    for counts in _counts(cgroups, own):
        with suppress(OSError, ValueError):
            words = dict(line.split() for line in counts.read_text().splitlines())
            if "oom_kill" in words:
                return int(words["oom_kill"])
    return 0


def _counts(cgroups: Path, own: Path) -> Iterator[Path]:
    """Where the count may be; in a container our group may be mounted as the root."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                file = "memory.oom_control" if controllers else "memory.events"
                for base in (cgroups / controllers / path.lstrip("/"), cgroups / controllers):
                    yield base / file
