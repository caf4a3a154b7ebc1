"""How surprising a text is to a model that predicts its tokens: nats, tokens and bytes, summed over all of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchmetrics import Metric

Figure = Callable[[float, float, float], float]
"""What is made of the nats, the tokens and the bytes."""


class Surprisal(Metric):
    """Sums of the cross entropy over pieces of a text, and a figure of them."""

    nats: Tensor
    tokens: Tensor
    bytes: Tensor

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._figure = figure
        for name in ("nats", "tokens", "bytes"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor, widths: Tensor) -> None:
        """Take scores `(tokens, vocabulary)`, the tokens `(tokens,)` and how many bytes each of these stands for."""
        self.nats += torch.nn.functional.cross_entropy(prediction, target, reduction="sum").double()
        self.tokens += len(target)
        self.bytes += widths.sum()

    def compute(self) -> Tensor:
        """The figure."""
        return torch.tensor(self._figure(float(self.nats), float(self.tokens), float(self.bytes)), dtype=torch.float64)


def perplexity(nats: float, tokens: float, _: float) -> float:
    """The exponential of the mean cross entropy of a token; infinite where that is beyond any number."""
    try:
        return math.exp(nats / tokens)
    except OverflowError:
        return math.inf


def bits_per_byte(nats: float, _: float, size: float) -> float:
    """The cross entropy of the whole in bits, by its size in bytes."""
    return nats / math.log(2) / size
