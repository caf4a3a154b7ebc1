"""A recurrent network along one axis: a window of a series, or a row of numbers in their order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from core.data import ModelShape

CELLS: dict[str, type[nn.GRU | nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class Rnn(nn.Module):
    """Recurrent layers, the last one's last state, then dense layers, to (batch, outputs).

    From (batch, channels, length), or from (batch, features) as one channel.
    """

    def __init__(  # noqa: PLR0913  (its settings)
        self,
        shape: ModelShape,
        *,
        cell: str,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        hidden: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        state = hidden_size * (1 + bidirectional)
        inputs = [(1, *shape.features)[-2], *[state] * (num_layers - 1)]
        # one layer each: between its own layers cuDNN draws dropout from a state that no checkpoint can hold
        self.layers = nn.ModuleList(
            CELLS[cell](width, hidden_size, batch_first=True, bidirectional=bidirectional) for width in inputs
        )
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.ReLU()
        widths = [state, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.output = nn.Linear(widths[-1], shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        steps = x.unsqueeze(2) if x.ndim == 2 else x.transpose(1, 2)
        last: Any = None
        for layer in self.layers:
            steps, last = layer(steps)
            steps = self.dropout(steps)
        state = last[0] if isinstance(last, tuple) else last
        # (directions, batch, hidden_size): each direction has read everything when it stands in its last state
        seen = self.dropout(torch.cat(state.unbind(0), 1))
        for layer in self.hidden:
            seen = self.dropout(self.activation(layer(seen)))
        prediction: Tensor = self.output(seen)
        return prediction
