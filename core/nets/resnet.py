"""A residual convolutional network for images."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from core.data import ModelShape


class ResNet(nn.Module):
    """Stages of residual blocks, then the mean over what is left: (batch, channels, height, width) to (batch, outputs).

    Every stage but the first halves height and width, rounding up.
    """

    def __init__(self, shape: ModelShape, *, channels: tuple[int, ...], blocks: int, batch_norm: bool) -> None:
        super().__init__()
        self.stem = _conv(shape.features[0], channels[0], batch_norm=batch_norm)
        first = [_Block(channels[0], channels[0], 1, batch_norm=batch_norm) for _ in range(blocks)]
        self.stages = nn.Sequential(nn.Sequential(*first))
        for before, after in pairwise(channels):
            smaller = _Block(before, after, 2, batch_norm=batch_norm)
            same = [_Block(after, after, 1, batch_norm=batch_norm) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(smaller, *same))
        self.norm = _norm(channels[-1], batch_norm=batch_norm)
        self.activation = nn.ReLU()
        self.output = nn.Linear(channels[-1], shape.outputs)
        self._draw(batch_norm=batch_norm)

    def forward(self, x: Tensor) -> Tensor:
        """One prediction row for each image of `x`."""
        seen = self.activation(self.norm(self.stages(self.stem(x))))
        # adaptive pooling to one place would have no deterministic backward pass on a GPU
        prediction: Tensor = self.output(seen.mean((2, 3)))
        return prediction

    def _draw(self, *, batch_norm: bool) -> None:
        """He initialisation; without norms each block begins as the identity, so that depth does no harm."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, _Block) and not batch_norm:
                nn.init.zeros_(module.second.weight)


class _Block(nn.Module):
    """Two convolutions, each behind its norm and ReLU, added to what came in."""

    def __init__(self, before: int, after: int, stride: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.norm1 = _norm(before, batch_norm=batch_norm)
        self.first = _conv(before, after, stride=stride, batch_norm=batch_norm)
        self.norm2 = _norm(after, batch_norm=batch_norm)
        self.second = _conv(after, after, batch_norm=batch_norm)
        self.activation = nn.ReLU()
        same = before == after and stride == 1
        self.shortcut = None if same else nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        ready = self.activation(self.norm1(x))
        kept = x if self.shortcut is None else self.shortcut(ready)
        added: Tensor = kept + self.second(self.activation(self.norm2(self.first(ready))))
        return added


def _conv(before: int, after: int, *, batch_norm: bool, stride: int = 1) -> nn.Conv2d:
    # the norm behind a convolution has a bias of its own
    return nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=not batch_norm)


def _norm(width: int, *, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(width) if batch_norm else nn.Identity()
