"""Which device a run trains on: decided on the worker, by what it has."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from core.errors import InvalidSpec


def available() -> tuple[str, ...]:
    """What this machine can train on, the fastest first: `cuda:0`, `cuda:1`, ..., `mps`, `cpu`.

    It touches CUDA, so it must not run in a process that forks later.
    """
    gpus = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    apple = ("mps",) if torch.backends.mps.is_available() else ()
    return (*gpus, *apple, "cpu")


def resolve(wanted: str, *, devices: Sequence[str] | None = None) -> str:
    """The device to use for `wanted` (`auto`, `cpu`, `cuda`, `cuda:N`, `mps`) among `devices`, the best first.

    Raises InvalidSpec when this worker has no such device.
    """
    if wanted == "cpu":
        return "cpu"
    offered = available() if devices is None else devices
    fitting = [device for device in offered if wanted in ("auto", device, device.partition(":")[0])]
    if fitting:
        return fitting[0]
    raise InvalidSpec(
        f"This worker has no device {wanted!r}; it has {', '.join(offered)}.",
        hint="Choose one of these, or auto.",
        param="/resources/device",
    )


def memory_left(device: torch.device) -> int | None:
    """Bytes free on a GPU; None where the device shares the main memory."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
