"""One linear layer over the flattened features."""

from __future__ import annotations

import math

from torch import Tensor, nn

from core.data import ModelShape


class Linear(nn.Module):
    """Linear, logistic or softmax regression: (batch, *features) to (batch, outputs)."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.output = nn.Linear(math.prod(shape.features), shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        prediction: Tensor = self.output(x.flatten(1))
        return prediction
