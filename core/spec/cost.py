"""What a job may take, judged by arithmetic before anything is built."""

from __future__ import annotations

import math

from core.data import Cost, DataShape
from core.registry import PartSettings, optimizers

MAX_PARAMETERS = 100_000_000
MAX_BYTES = 8 * 2**30
"""Of weights, gradients, optimizer state, activations and data together."""

FLOAT = 4
"""Bytes of a number."""


def data_bytes(shape: DataShape) -> int:
    """The data as float32, drawn as float64 and scaled into a second copy: four floats for each number.

    A token takes as much: int64 twice, or once beside its text. The targets of a plain text are the text itself.
    """
    if shape.next_token:
        return 4 * FLOAT * shape.samples * shape.features[0]
    return 4 * FLOAT * shape.samples * (math.prod(shape.features) + _targets(shape))


def streamed_bytes(shape: DataShape) -> int:
    """Of data whose features stay in the file: a column while it is fitted, rows, their order, the targets twice."""
    return 8 * shape.samples * (6 + 2 * _targets(shape))


def _targets(shape: DataShape) -> int:
    """How many numbers are held as a sample's target; one that is the sample itself takes none of its own."""
    return 1 if shape.reconstructs else shape.outputs


def training_bytes(cost: Cost, *, state: int, batch_size: int) -> int:
    """Weights, gradients, `state` more numbers for each weight, and a batch's activations with their gradients."""
    return FLOAT * (cost.parameters * (2 + state) + 2 * cost.activations * batch_size)


def kept_by(optimizer: PartSettings) -> int:
    """How many numbers this optimizer keeps for each weight."""
    state = optimizers.get(optimizer.name).facts.get("state", 2)
    return int(state(**optimizer.settings()) if callable(state) else state)


def prediction_bytes(samples: int, *, outputs: int) -> int:
    """Predictions of `samples` at once, joined from parts, as probabilities, kept and sorted by a metric."""
    return 4 * FLOAT * samples * outputs
