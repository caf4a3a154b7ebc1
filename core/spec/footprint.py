"""How much memory a run will take, by arithmetic: what it keeps, and the most that it holds at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.data import Cost, DataShape
from core.spec.cost import FLOAT, data_bytes, streamed_bytes
from core.spec.job_spec import JobSpec

WARM_BYTES = 234_000_000
"""A process that stands ready with torch and has read nothing, if no job has told it (Linux, torch 2.13 for CPUs)."""
KERNEL_BYTES = 32_000_000
"""What the first steps load beside: the code of the kernels and their workspaces; about as much on a GPU (cuBLAS)."""
TABLE = 9
"""How many times the features of a table are there while they are read: columns, their encoding, doubles, copies."""
SWELLS = 1.25
"""A batch at its largest, by what is kept of it: the gradients of a layer come before what it kept can go."""
PASSED = 0.5
"""What a forward pass without gradients holds at a time, by what one with gradients keeps."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes: tensors that are kept, a batch's activations, the data, the process itself; and the peak of all.

    The peak is less than the sum of the most of each, since reading, training and judging follow one another.
    """

    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    data_bytes: int
    baseline_bytes: int
    peak_bytes: int


def footprint(spec: JobSpec, *, on_gpu: bool, warm_bytes: int = WARM_BYTES) -> Footprint:
    """What a run of `spec` will take of the main memory, or of a GPU's: there nothing is held before, or read.

    Of a run of several processes it is what the first of them takes, which has the longest part of each batch.
    `warm_bytes` are those of a process that has read nothing, where they are known. The weights are those that train
    and their average, if there is one. Raises ValueError for a model whose cost no arithmetic knows.
    """
    if (cost := spec.cost) is None:
        raise ValueError(f"A model of {spec.model.name} must be built to be weighed.")
    weights, whole = _own_weights(spec, cost), FLOAT * cost.parameters
    optimizer = weights * spec.optimizer_state
    part = -(-min(spec.batch_size, spec.train_samples) // spec.resources.processes)
    at_once = min(spec.micro_batch_size or part, part)
    width = FLOAT if spec.precision == "fp32" else FLOAT / 2
    activations = round(width * cost.activations * at_once * SWELLS)
    data = _held_data(spec)
    kept = data + 2 * weights + optimizer + _copies(spec) * whole
    gathered = whole if weights < whole else 0  # pieces meet while they compute, in small models all at once
    working = gathered + max(activations, _evaluation(spec, cost))
    reading = 0 if on_gpu else _read_data(spec)
    baseline = 0 if on_gpu else warm_bytes
    peak = baseline + KERNEL_BYTES + max(reading, kept + working)
    return Footprint((1 + (spec.ema is not None)) * weights, weights, optimizer, activations, data, baseline, peak)


def _own_weights(spec: JobSpec, cost: Cost) -> int:
    """The bytes of the weights that one process has of its own."""
    pieces = spec.resources.processes if spec.resources.sharding == "fsdp" else 1
    return -(-FLOAT * cost.parameters // pieces)


def _copies(spec: JobSpec) -> int:
    """Other weights that are kept beside those that train: their average, the best epoch's, the best round's."""
    restores = spec.early_stopping is not None and spec.early_stopping.restore_best
    return restores + (len(spec.rounds) > 1) + (spec.ema is not None)


def _evaluation(spec: JobSpec, cost: Cost) -> int:
    """A pass over samples that are held back, as many at once as go through; and all predictions, for the metrics."""
    held = max(spec.val_samples, spec.test_samples)
    if not held:
        return 0
    at_once = min(held, spec.rows_at_once)
    of_pieces = spec.data_shape.next_token or spec.data_shape.reconstructs
    predictions = 0 if of_pieces else 2 * FLOAT * held * spec.model_shape.outputs
    return round(FLOAT * cost.activations * at_once * PASSED) + predictions


def _held_data(spec: JobSpec) -> int:
    """What stays in memory: each number once, tokens as int64; of what is streamed the targets and the order."""
    shape = _rows(spec)
    if spec.loader.streaming:
        return streamed_bytes(shape)
    targets = 0 if shape.next_token or shape.reconstructs else shape.outputs  # else they are in the sample itself
    width = FLOAT if shape.vocabulary is None else 2 * FLOAT
    return width * shape.samples * (math.prod(shape.features) + targets)


def _read_data(spec: JobSpec) -> int:
    """The most that it takes to read the data: once, and in the end what stays."""
    facts, shape = getattr(spec.dataset, "facts", None), _rows(spec)
    if spec.loader.streaming:
        return streamed_bytes(shape)
    is_table = facts is not None and facts.form == "table" and shape.vocabulary is None
    return TABLE * _held_data(spec) if is_table else data_bytes(shape)


def _rows(spec: JobSpec) -> DataShape:
    """The shape of the data with all files together; the windows of a series share their rows."""
    facts, shape = getattr(spec.dataset, "facts", None), spec.data_shape
    if facts is None:
        return shape
    shape = replace(shape, samples=shape.samples + sum(one.samples for one in facts.apart.values()))
    return shape if facts.series is None else replace(shape, features=shape.features[:1])
