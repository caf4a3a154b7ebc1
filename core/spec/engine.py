"""What a spec may say of the way a step is taken."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.spec.outline import Outline

BatchSize = Annotated[int, Field(ge=1, le=1_048_576)]
MicroBatchSize = Annotated[
    BatchSize | None,
    Field(
        description="Samples that go through the model at a time, their gradients added up to batch_size; null: all."
    ),
]
Clip = Annotated[float, Field(gt=0, le=1_000_000)]
ClipValue = Annotated[Clip | None, Field(description="The largest value of each gradient; cut before clip_grad_norm.")]


def at_a_time(outline: Outline) -> int:
    """How many samples go through the model at once."""
    return min(outline.batch_size, outline["micro_batch_size"] or outline.batch_size)
