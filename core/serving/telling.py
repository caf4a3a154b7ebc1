"""From what a model gives to what is said of each sample: a class, numbers in their own unit, labels, an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from core.serving.served import Served

Told = dict[str, Any]

UNTOLD = "The model gives no finite numbers for this row: its values are far from those it was trained on."


def told(served: Served, scores: Tensor, x: Tensor) -> list[Told]:
    """What the `scores` `(samples, outputs)` of the prepared samples `x` mean, one object for each sample."""
    shape = served.spec.data_shape
    if shape.reconstructs:
        return list(_reconstructions(served, scores, x))
    names = _names(served, scores)
    if shape.multilabel:
        return [_labels(names, row) for row in scores.sigmoid().tolist()]
    if shape.classes:
        return [_class(names, row) for row in _shares(scores).tolist()]
    return [_numbers(served, row, at) for at, row in enumerate(served.prepare.undo(scores).tolist())]


def untold(scores: Tensor) -> list[int]:
    """The rows, from 0, whose scores are not finite: JSON has no such numbers, and they would mean nothing."""
    wrong: list[int] = (~scores.flatten(1).isfinite().all(1)).nonzero().flatten().tolist()
    return wrong


def _names(served: Served, scores: Tensor) -> Sequence[str]:
    count = served.spec.data_shape.classes or scores.shape[1]
    return served.prepare.classes or [str(number) for number in range(count)]


def _shares(scores: Tensor) -> Tensor:
    """The probability of each class, also of two that have one logit."""
    if scores.shape[1] > 1:
        return scores.softmax(1)
    second = scores.sigmoid()
    return torch.cat([1 - second, second], 1)


def _class(names: Sequence[str], shares: Sequence[float]) -> Told:
    best = max(range(len(shares)), key=shares.__getitem__)
    return {"class": names[best], "probabilities": dict(zip(names, shares, strict=True))}


def _labels(names: Sequence[str], shares: Sequence[float]) -> Told:
    pairs = dict(zip(names, shares, strict=True))
    return {"labels": [name for name, share in pairs.items() if share > 0.5], "probabilities": pairs}


def _numbers(served: Served, numbers: list[float], at: int) -> Told:
    if served.prepare.window is not None:
        return {"behind_row": at + served.prepare.window, "forecast": numbers}
    if len(numbers) == 1:
        return {"value": numbers[0]}
    return {"values": dict(zip(served.targets, numbers, strict=True)) if served.targets else numbers}


def _reconstructions(served: Served, made: Tensor, x: Tensor) -> Iterator[Told]:
    """The mean squared error of the scaled numbers, the code, and what came back in the data's own unit."""
    errors = ((made - x) ** 2).flatten(1).mean(1).tolist()
    again, names = served.prepare.undo(made).tolist(), served.names
    codes = served.encode(x).tolist()
    for error, code, row in zip(errors, codes, again, strict=True):
        yield {"error": error, "code": code, "reconstruction": dict(zip(names, row, strict=True)) if names else row}
