"""The network behind the model `fourier`."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Fourier(nn.Module):
    """Float32 rows `(batch, features)` to `(batch, outputs)`."""

    def __init__(self, features: int, outputs: int, *, frequencies: int, hidden: int) -> None:
        """Weights are drawn from torch's global generator, which the run has seeded."""
        super().__init__()
        self.projections = nn.Linear(features, frequencies, bias=False)
        self.hidden = nn.Linear(2 * frequencies, hidden)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        angles = self.projections(x)
        seen = torch.cat([angles.sin(), angles.cos()], dim=1)
        scores: Tensor = self.output(self.hidden(seen).relu())
        return scores
