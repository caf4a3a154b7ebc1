"""How often each class or label is there in what trains."""

from __future__ import annotations

import torch

from core.data import Counts, DataShape
from core.loading.samples import SampleSet


def counts(samples: SampleSet, shape: DataShape) -> Counts:
    """The samples of each class; of labels, those that have each. Raises ValueError where there are neither."""
    target = samples.y.cpu()
    if shape.classes is not None:
        each = torch.bincount(target, minlength=shape.classes)
    elif shape.multilabel:
        each = target.long().sum(0)
    else:
        raise ValueError("Only classes and labels can be counted.")
    return Counts(len(target), tuple(each.tolist()))
