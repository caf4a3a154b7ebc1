"""What a spec may say of the way a step is taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from core.parts.limits import BatchSize, Decay
from core.spec.fields import STRICT
from core.spec.outline import Outline

PrecisionName = Annotated[
    Literal["fp32", "bf16", "fp16"],
    Field(description="What the model computes in (torch.amp); weights and losses are float32 in any."),
]
MicroBatchSize = Annotated[
    BatchSize | None,
    Field(
        description="Samples that go through the model at a time, their gradients added up to batch_size; null: all."
    ),
]
Compile = Annotated[bool, Field(description="Train through kernels that torch.compile makes of the model.")]
Clip = Annotated[float, Field(gt=0, le=1_000_000)]
ClipValue = Annotated[Clip | None, Field(description="The largest value of each gradient; cut before clip_grad_norm.")]


class MovingAverage(BaseModel):
    """The exponential moving average of the weights, updated behind each step: it is judged and kept in their stead."""

    model_config = STRICT

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.999


BIAS_AND_NORM = "bias_and_norm"
"""Stands for every parameter of one dimension, which weight decay is often kept from."""

_GLOB = {"examples": ["layers.0.*", "*.bias"], "maxLength": 200, "minLength": 1, "type": "string"}
Glob = Annotated[str, Field(min_length=1, max_length=200, examples=["layers.0.*", "*.bias"])]
Globs = Annotated[tuple[Glob, ...], Field(strict=False, max_length=64)]
SomeGlobs = Annotated[
    Globs,
    Field(min_length=1),
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [_GLOB, {"items": _GLOB, "maxItems": 64, "minItems": 1, "type": "array"}]}),
]
"""One or several; one is kept as a list of one."""
Frozen = Annotated[Globs, Field(description="Globs over the names of parameters that do not train: layers.0.*")]


class ParamGroup(BaseModel):
    """Parameters that train by settings of their own; the first group that fits one takes it."""

    model_config = STRICT

    params: SomeGlobs = Field(
        description='A glob over the names of parameters, or several; "bias_and_norm": all of one dimension.'
    )
    weight_decay: Decay | None = Field(default=None, description="In the optimizer's stead; null: the optimizer's.")
    lr_scale: Annotated[float, Field(gt=0, le=1_000)] = Field(
        default=1.0, description="Times lr, all along the schedule."
    )


ParamGroups = Annotated[tuple[ParamGroup, ...], Field(strict=False, max_length=32)]


def at_a_time(outline: Outline) -> int:
    """How many samples go through the model at once."""
    return min(outline.batch_size, outline["micro_batch_size"] or outline.batch_size)
