"""A spec with numbers only: those that its run found where it says "auto"."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from core.parts.limits import MAX_BATCH_SIZE
from core.spec.auto import AUTO, AUTOS
from core.spec.bounds import step_bytes
from core.spec.cost import MAX_BYTES
from core.spec.job_spec import JobSpec, parse_spec
from core.spec.outline import Outline, Unsound

SHARE = 5
"""A batch that is found is at most this part of what trains, so that an epoch has some steps."""


def autos(spec: JobSpec) -> tuple[str, ...]:
    """The fields that say "auto": their numbers are found when the run begins."""
    return tuple(field for field in AUTOS if getattr(spec, field) == AUTO)


def with_numbers(spec: JobSpec, numbers: Mapping[str, float]) -> JobSpec:
    """`spec` with `numbers` where it says "auto"; raises SpecRefused when they do not fit the rest of it."""
    found = {field: number for field, number in numbers.items() if field in autos(spec)}
    return parse_spec({**spec.model_dump(mode="json"), **found}) if found else spec


def batch_sizes(spec: JobSpec) -> list[int]:
    """The powers of two that may be found as the batch size: from 1 to a fifth of what trains, and within bounds."""
    largest = min(MAX_BATCH_SIZE, max(1, spec.train_samples // SHARE))
    sizes = [1 << power for power in range(largest.bit_length())]
    return [size for size in sizes if size == 1 or bytes_with(spec, size) <= MAX_BYTES]


def bytes_with(spec: JobSpec, size: int) -> int:
    """What a step takes with batches of this size, by arithmetic; 0 for a model that must be built to be weighed."""
    with suppress(Unsound):
        return step_bytes(Outline({**spec.__dict__, "batch_size": size}))
    return 0


def with_likely_batch(spec: JobSpec) -> JobSpec:
    """`spec` with the batch size that arithmetic speaks for, where it says "auto": the run may find a smaller one."""
    return spec.model_copy(update={"batch_size": batch_sizes(spec)[-1]}) if "batch_size" in autos(spec) else spec
