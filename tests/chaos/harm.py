"""The monkeys: each does one kind of harm, at a moment that only its seed knows."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.chaos.doors import flag
from tests.chaos.services import Door, Service

MOMENT_S = (0.05, 0.6)


def at_a_random_moment(rng: random.Random, within: tuple[float, float] = MOMENT_S) -> None:
    """Let some time pass; the only waiting here that waits for nothing."""
    time.sleep(rng.uniform(*within))


def kill_a_trainer(door: Door, rng: random.Random) -> int:
    """SIGKILL to one of the processes that train."""
    at_work = sorted(door.trainers())
    if not at_work:
        return 0
    with suppress(ProcessLookupError):
        os.kill(rng.choice(at_work), signal.SIGKILL)
        return 1
    return 0


def kill_a_worker(door: Door, rng: random.Random) -> int:
    """SIGKILL to a worker that has trainers at work, alone or with its process group; another takes its place."""
    busy = [worker for worker in door.workers if worker.trainers()]
    if not busy:
        return 0
    victim = rng.choice(busy)
    kill(door, victim, rng)
    return 1


def kill(door: Door, victim: Service, rng: random.Random) -> None:
    """SIGKILL to a process of the service, alone or with its group, and start it again."""
    victim.kill(group=rng.random() < 0.5)
    door.bring_back(victim)


def freeze_a_worker(door: Door, rng: random.Random, *, for_s: float) -> int:
    """SIGSTOP to a worker, with or without its trainers, for longer than its leases; then it goes on, late."""
    busy = [worker for worker in door.workers if worker.trainers()]
    if not busy:
        return 0
    victim = rng.choice(busy)
    with frozen(victim.tree() if rng.random() < 0.5 else [victim.process.pid]):
        at_a_random_moment(rng, (for_s, 1.3 * for_s))
    return 1


@contextmanager
def frozen(pids: Sequence[int]) -> Iterator[None]:
    """Stop processes; they go on behind the block."""
    for pid in pids:
        _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, sign: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def lease_s(door: Door) -> float:
    """How long a lease holds there."""
    return float(door.settings.get("TRAINWIRE_LEASE_S", "12"))


def arm(door: Door, point: str) -> None:
    """Let the process that next passes a failpoint of `core/failpoints.py` die there."""
    draft = flag(door.folder).with_suffix(".new")
    draft.write_text(point)
    draft.rename(flag(door.folder))


def wait_hit(door: Door, *, within_s: float = 300.0) -> bool:
    """Wait until somebody died at the failpoint, bringing back what dies; False if nobody did."""
    deadline = time.monotonic() + within_s
    while flag(door.folder).exists() and time.monotonic() < deadline:
        door.tend()
        time.sleep(0.01)
    return not flag(door.folder).exists()
