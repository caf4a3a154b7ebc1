"""What a run takes of its machine, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass


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
