"""What a run takes of its machine, as it was measured, and trials that measure it beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the tensors that a run keeps from step to step, and the most that it held at any time.

    `peak_bytes` is what torch allocated on a GPU, elsewhere the resident main memory of the training process without
    the processes that load batches; `baseline_bytes` of it were held before the run had read anything.
    """

    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    peak_bytes: int
    baseline_bytes: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial of a spec took on a device, in seconds: until the first step, a step, a sample of validation.

    `rest_s` is what comes beside steps and judging in each epoch; `steps` is how many were timed; `memory` is the
    trial's, which read all of the data.
    """

    device: str
    startup_s: float
    step_s: float
    sample_s: float
    steps: int
    memory: Memory
    rest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Probe:
    """A spec that is to be tried out, and the device that it asks for."""

    id: str
    spec: Mapping[str, Any]
    device: str
