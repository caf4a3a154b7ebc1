"""What a JSON body may ask of a trained model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.parts.limits import Seed

MOST_TOKENS = 1_000
MOST_TEXT = 100_000
"""Characters of a text that is judged or gone on with."""


class PredictWish(BaseModel):
    """Samples to predict: give one of `rows`, `texts` and `text`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    rows: list[Any] | None = Field(
        default=None,
        min_length=1,
        description="Rows of a table or a series as objects, each its columns by name; of arrays and bundled datasets "
        "nested lists of the sample's shape, or objects by the names of its features.",
        examples=[[{"age": 29, "sex": "female"}]],
    )
    texts: list[str | None] | None = Field(default=None, min_length=1, description="For models of a column of text.")
    text: Annotated[str, Field(min_length=1, max_length=MOST_TEXT)] | None = Field(
        default=None, description="For language models: how well it is predicted, and what may come next."
    )
    generate: Annotated[int, Field(ge=0, le=MOST_TOKENS)] = Field(
        default=0, description="So many tokens more, behind `text`."
    )
    temperature: Annotated[float, Field(ge=0, le=100)] = Field(
        default=0.0, description="0: always the most probable token; 1: by the model's own probabilities."
    )
    seed: Seed = 0
