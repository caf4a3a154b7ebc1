"""What a machine can train on, told without torch; a child asks torch itself later."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_DRIVER = Path("/proc/driver/nvidia/gpus")
_MOST_CPU_SLOTS = 4


def visible_gpus(env: Mapping[str, str] | None = None, *, driver: Path = _DRIVER) -> int:
    """How many NVIDIA GPUs this process may use: those of the driver, less what CUDA_VISIBLE_DEVICES hides."""
    there = len(list(driver.iterdir())) if driver.is_dir() else 0
    listed = (os.environ if env is None else env).get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return there
    names = [name.strip() for name in listed.split(",")]
    shown = next((count for count, name in enumerate(names) if name in ("", "-1")), len(names))
    return min(there, shown)


def default_slots(gpus: int) -> int:
    """One per GPU, else one per core, at most 4."""
    return gpus or min(os.cpu_count() or 1, _MOST_CPU_SLOTS)


def slot_devices(devices: Sequence[str], *, slots: int) -> tuple[str, ...]:
    """What `auto` means in each slot: slot i has GPU i (round the GPUs), else the best there is."""
    gpus = [device for device in devices if device.startswith("cuda:")]
    best = gpus or [device for device in devices if device == "mps"] or ["cpu"]
    return tuple(best[slot % len(best)] for slot in range(slots))
