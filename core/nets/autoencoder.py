"""An autoencoder: from a sample to a short code, and from the code to the sample again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise

from torch import Tensor, nn

from core.data import ModelShape
from core.nets.mlp import ACTIVATIONS

_Activation = Callable[[], nn.Module]


class Autoencoder(nn.Module):
    """Samples `(batch, *features)` to their reconstructions, of the same shape, through a code `(batch, latent)`.

    Pictures go through a convolution of stride 2 for each of `channels`, and back through its transpose.
    """

    def __init__(
        self,
        shape: ModelShape,
        *,
        latent: int,
        hidden: tuple[int, ...],
        channels: tuple[int, ...],
        activation: str,
    ) -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        depths, sides = [shape.features[0], *channels], [shape.features[1:]]
        for _ in channels:
            sides.append(tuple(-(-side // 2) for side in sides[-1]))
        inner = (depths[-1], *sides[-1])
        widths = [math.prod(inner), *hidden, latent]
        down = (_halving(before, after, act) for before, after in pairwise(depths))
        up = _doublings(depths[::-1], sides[::-1], act)
        self.encoder = nn.Sequential(*chain.from_iterable(down), nn.Flatten(), *_dense(widths, act))
        dense, last = _dense(widths[::-1], act), [act()] if channels else []
        self.decoder = nn.Sequential(*dense, *last, nn.Unflatten(1, inner), *up)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of each sample of `x`."""
        return self.decode(self.encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """The code of each sample: `(batch, latent)`."""
        code: Tensor = self.encoder(x)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """The sample that each code stands for: `(batch, *features)`."""
        made: Tensor = self.decoder(code)
        return made


def _dense(widths: Sequence[int], act: _Activation) -> Iterator[nn.Module]:
    """Fully connected layers, an activation between each two of them."""
    for place, (before, after) in enumerate(pairwise(widths)):
        if place:
            yield act()
        yield nn.Linear(before, after)


def _halving(before: int, after: int, act: _Activation) -> Iterator[nn.Module]:
    yield nn.Conv2d(before, after, 3, stride=2, padding=1)
    yield act()


def _doublings(depths: Sequence[int], sides: Sequence[tuple[int, ...]], act: _Activation) -> Iterator[nn.Module]:
    """The way back: each side as it was before it was halved and rounded up."""
    for place, (before, after) in enumerate(pairwise(depths)):
        if place:
            yield act()
        height, width = (1 - side % 2 for side in sides[place + 1])
        yield nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=(height, width))
