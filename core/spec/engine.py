"""What a spec may say of the way a step is taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from core.spec.fields import STRICT
from core.spec.outline import Outline

PrecisionName = Annotated[
    Literal["fp32", "bf16", "fp16"],
    Field(description="What the model computes in (torch.amp); weights and losses are float32 in any."),
]
BatchSize = Annotated[int, Field(ge=1, le=1_048_576)]
MicroBatchSize = Annotated[
    BatchSize | None,
    Field(
        description="Samples that go through the model at a time, their gradients added up to batch_size; null: all."
    ),
]
Clip = Annotated[float, Field(gt=0, le=1_000_000)]
ClipValue = Annotated[Clip | None, Field(description="The largest value of each gradient; cut before clip_grad_norm.")]


class MovingAverage(BaseModel):
    """The exponential moving average of the weights, updated behind each step: it is judged and kept in their stead."""

    model_config = STRICT

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.999


def at_a_time(outline: Outline) -> int:
    """How many samples go through the model at once."""
    return min(outline.batch_size, outline["micro_batch_size"] or outline.batch_size)
