"""A stack of layers, its blocks, and the layers that torch has no module for."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Layers(nn.Module):
    """Layers one after another: (batch, *features) to what the last of them gives."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each sample of `x`."""
        prediction: Tensor = self.layers(x)
        return prediction


class Residual(nn.Module):
    """What its layers make of x, added to x or to what `shortcut` makes of it (He et al., 2016)."""

    def __init__(self, layers: Iterable[nn.Module], shortcut: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers, self.shortcut = nn.Sequential(*layers), nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """The sum, of the shape that both have."""
        total: Tensor = self.layers(x) + self.shortcut(x)
        return total


class Parallel(nn.Module):
    """What several stacks make of the same x, one behind another in the first axis of a sample, or added up."""

    def __init__(self, branches: Iterable[Iterable[nn.Module]], *, join: str) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*branch) for branch in branches)
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        """All branches' results, joined."""
        made = [branch(x) for branch in self.branches]
        if self.join == "concat":
            return torch.cat(made, 1)
        total: Tensor = made[0]
        for one in made[1:]:
            total = total + one
        return total


class Recurrent(nn.Module):
    """A recurrent module without what it remembers: its outputs at all times, or the last state of each direction."""

    def __init__(self, rnn: nn.RNNBase, *, last: bool) -> None:
        super().__init__()
        self.rnn = rnn
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, columns) to (batch, time, hidden), or (batch, hidden)."""
        states, kept = self.rnn(x)
        ends: Tensor = kept[0] if isinstance(kept, tuple) else kept
        everything: Tensor = states
        return torch.cat(list(ends), 1) if self.last else everything


class Reshape(nn.Module):
    """Samples in another shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """(batch, *shape)."""
        # not len(x): torch.export takes that for a constant
        return x.reshape(x.shape[0], *self.shape)


class Transpose(nn.Module):
    """Two axes swapped."""

    def __init__(self, dim0: int, dim1: int) -> None:
        super().__init__()
        self.dims = dim0, dim1

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers, with these axes swapped."""
        return x.transpose(*self.dims)


class GlobalAvgPool(nn.Module):
    """Each channel's mean."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, …) to (batch, channels)."""
        return x.flatten(2).mean(2)


class AdaptiveAvgPool(nn.Module):
    """Means that leave given sides, as torch's own; by matrices, since its gradient has no fixed order on a GPU."""

    def __init__(self, sides: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__()
        for place, (side, left) in enumerate(zip(sides, wanted, strict=True)):
            self.register_buffer(f"means{place}", _means(side, left), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, *sides) to (batch, channels, *wanted)."""
        means = list(self.buffers())
        if len(means) == 1:
            return x @ means[0].T
        return means[0] @ x @ means[1].T


def _means(side: int, left: int) -> Tensor:
    """A row of equal shares for each place that is left: from the floor to the ceiling of its part of `side`."""
    means = torch.zeros(left, side)
    for place in range(left):
        first, last = place * side // left, -(-(place + 1) * side // left)
        means[place, first:last] = 1 / (last - first)
    return means
