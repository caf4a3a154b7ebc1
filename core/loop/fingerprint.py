"""What a run's last bits depend on beside its spec; it travels with every checkpoint."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from pathlib import Path

import torch

from core.loop.run import Run
from core.loop.versions import versions_of

Fingerprint = Mapping[str, str | int | bool]
_CPU_FACTS = Path("/proc/cpuinfo")


def fingerprint(run: Run) -> Fingerprint:
    """The versions, the device, the threads, the processor and the data of `run`, as plain values."""
    return {
        **versions_of(run.spec),
        "device": _device(run.device),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "processor": f"{platform.machine()} {_processor()}",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "data": run.data.digest,
        **_processes(run),
    }


def difference(then: Fingerprint, now: Fingerprint) -> str | None:
    """One sentence that names what differs, what it was and what it is; None where nothing does."""
    then, now = ({"devices": 1, **facts} for facts in (then, now))
    changes = [
        f"{name} {now.get(name, 'unknown')} instead of {then.get(name, 'unknown')}"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
    if not changes:
        return None
    told = " and ".join(filter(None, [", ".join(changes[:-1]), changes[-1]]))
    return f"The run went on with {told}: its figures may differ in their last bits from an uninterrupted run's."


def _processes(run: Run) -> dict[str, str | int]:
    """How many devices train together and what they share, where it is more than one."""
    peers = run.peers
    return {"devices": peers.size, "sharding": peers.sharding or ""} if peers.size > 1 else {}


def _device(device: torch.device) -> str:
    if device.type != "cuda":
        return device.type
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return f"cuda {torch.cuda.get_device_name(device)} cudnn {cudnn}"


@functools.cache
def _processor() -> str:
    if not _CPU_FACTS.exists():
        return platform.processor()
    lines = _CPU_FACTS.read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
