"""The bounded numbers that settings are made of; every one is finite, and every range is closed somewhere."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_SEED = 2**63 - 1
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Samples = Annotated[int, Field(ge=2, le=10_000_000)]
Features = Annotated[int, Field(ge=1, le=100_000)]
Noise = Annotated[float, Field(ge=0, le=1_000)]

Width = Annotated[int, Field(ge=1, le=65_536)]
# JSON has lists only, so a tuple takes one although everything else is strict.
Widths = Annotated[tuple[Width, ...], Field(strict=False, min_length=1, max_length=64)]
MaybeWidths = Annotated[tuple[Width, ...], Field(strict=False, max_length=64)]
Dropout = Annotated[float, Field(ge=0, lt=1)]

LearningRate = Annotated[float, Field(gt=0, le=1_000_000)]
Decay = Annotated[float, Field(ge=0, le=1_000)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Betas = Annotated[tuple[Momentum, Momentum], Field(strict=False)]
Epsilon = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]

MAX_BATCH_SIZE = 1_048_576
BatchSize = Annotated[int, Field(ge=1, le=MAX_BATCH_SIZE)]
MAX_EPOCHS = 100_000
Epochs = Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
Warmup = Annotated[int, Field(ge=0, le=100_000)]
Factor = Annotated[float, Field(gt=0, le=1)]
