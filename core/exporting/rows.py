"""Rows to try an exported model on: the job's own, where they are still there and few enough to be read again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.data import ModelShape
from core.errors import InvalidData
from core.loading import data
from core.shelf import Folders
from core.spec import JobSpec

MANY = 64
NUMBERS = 50_000_000
"""Of the features: a dataset that holds more is not loaded for this."""


@dataclass(frozen=True)
class Sample:
    """Rows as the model gets them, and where they come from."""

    x: Tensor
    told: str


def of(spec: JobSpec, folders: Folders) -> Sample:
    """Rows that the run was judged by, or else that it trained on; drawn ones where the data is gone or large."""
    if spec.data_shape.samples * math.prod(spec.data_shape.features) <= NUMBERS:
        try:
            made = data.make(spec, cache=None, datasets=folders)
        except InvalidData as error:  # deleted, or another file now
            return Sample(drawn(spec.model_shape), f"{MANY} drawn rows ({error.message})")
        rows = made.held or made.train
        x = rows.take(torch.arange(min(MANY, rows.size))).x.contiguous()
        # a graph is made from two rows at least
        return Sample(x.repeat(2, *[1] * (x.ndim - 1)) if len(x) < 2 else x, f"{len(x)} rows of the job's data")
    return Sample(drawn(spec.model_shape), f"{MANY} drawn rows")


def drawn(shape: ModelShape) -> Tensor:
    """Rows as scaled ones are: of mean 0 and deviation 1; ids and codes are any that there are."""
    draws = torch.Generator().manual_seed(0)
    if shape.vocabulary is not None:
        return torch.randint(shape.vocabulary, (MANY, *shape.features), generator=draws)
    x = torch.randn(MANY, *shape.features, generator=draws)
    for place, codes in enumerate(shape.categories, shape.features[0] - len(shape.categories)):
        x[:, place] = torch.randint(codes, (MANY,), generator=draws).float()
    return x
