"""Models of residual blocks: each adds to what it was given, so that many of them can be trained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.checks import Finding
from core.data import Cost, DataShape, ModelShape
from core.parts.embedded import Embeddings, joined, widths
from core.parts.limits import Dropout, Width
from core.registry import models

if TYPE_CHECKING:
    from torch import nn

Stages = Annotated[tuple[Annotated[int, Field(ge=1, le=4_096)], ...], Field(strict=False, min_length=1, max_length=16)]
Blocks = Annotated[int, Field(ge=1, le=64)]


def _smallest_batch(*, batch_norm: bool, **_: Any) -> int:
    return 2 if batch_norm else 1


def _couples(*, batch_norm: bool, **_: Any) -> bool:
    return batch_norm


def _resnet_cost(shape: ModelShape, *, channels: tuple[int, ...], blocks: int, batch_norm: bool) -> Cost:
    depth, height, width = shape.features
    # a bias for each channel, or a norm's scale and shift
    own = 0 if batch_norm else 1
    parameters = (9 * depth + own) * channels[0]
    kept, before = channels[0] * height * width, channels[0]
    for stage, after in enumerate(channels):
        for block in range(blocks):
            halves = stage > 0 and block == 0
            # the ReLU and the norm in front are of what comes in, the second pair of what goes out
            kept += (1 + batch_norm) * before * height * width
            if halves:
                height, width = -(-height // 2), -(-width // 2)
            shortcut = halves or before != after
            parameters += (9 * (before + after) + 2 * own + shortcut * before) * after
            parameters += 2 * batch_norm * (before + after)
            kept += (4 + batch_norm + shortcut) * after * height * width
            before = after
    parameters += 2 * batch_norm * before + (before + 1) * shape.outputs
    return Cost(parameters, kept + (1 + batch_norm) * before * height * width + before + shape.outputs)


def _resnet_fits(shape: DataShape, *, channels: tuple[int, ...], **_: Any) -> Iterator[Finding]:
    side = min(shape.features[1:])
    most = 1 + math.ceil(math.log2(side))
    if len(channels) > most:
        told = (
            f"Every stage but the first halves the image, and {len(channels)} of them leave nothing to halve of one "
            f"with a side of {side}; at most {most} fit. Deeper stages come by blocks."
        )
        yield Finding(("channels",), list(channels), told, {"maxItems": most})


def _resmlp_cost(
    shape: ModelShape,
    *,
    n_blocks: int,
    d_block: int,
    d_hidden: int,
    batch_norm: bool,
    embeddings: Any,
    **_: Any,
) -> Cost:
    norm, words = 2 * batch_norm * d_block, joined(shape, embeddings)
    block = norm + (d_block + 1) * d_hidden + (d_hidden + 1) * d_block
    around = words.parameters + (words.width + 1) * d_block + norm + (d_block + 1) * shape.outputs
    # of each block: the norm, both linear layers with what follows each, and the sum
    kept = n_blocks * (4 * d_block + 3 * d_hidden) + 3 * d_block + shape.outputs + words.activations
    return Cost(n_blocks * block + around, kept)


@models.register(
    cost=_resnet_cost, images=True, fits=_resnet_fits, smallest_batch=_smallest_batch, batch_coupled=_couples
)
def resnet(
    shape: ModelShape, *, channels: Stages = (16, 32, 64), blocks: Blocks = 2, batch_norm: bool = True
) -> nn.Module:
    """A residual convolutional network for images: stages of so many blocks, each stage at half the size.

    He et al., 2016 (Identity Mappings), as for small images: blocks of two convolutions of 3 x 3, each behind its norm
    and ReLU, and the mean over what is left of the image. 3 stages of n blocks are their ResNet of 6n + 2 layers.
    Without batch norm the blocks begin as identities, after Zhang et al., 2019 (Fixup).
    """
    from core.nets.resnet import ResNet

    return ResNet(shape, channels=channels, blocks=blocks, batch_norm=batch_norm)


@models.register(
    cost=_resmlp_cost,
    smallest_batch=_smallest_batch,
    batch_coupled=_couples,
    embeds=True,
    patchable=("dropout1", "dropout2"),
)
def resmlp(
    shape: ModelShape,
    *,
    n_blocks: Blocks = 2,
    d_block: Width = 128,
    d_hidden: Width = 256,
    dropout1: Dropout = 0.2,
    dropout2: Dropout = 0.0,
    batch_norm: bool = True,
    embeddings: Embeddings = None,
) -> nn.Module:
    """A multilayer perceptron with residual blocks: as wide as `d_block`, within each block as wide as `d_hidden`.

    The ResNet for tables of Gorishniy et al., 2021. `dropout1` is within a block, `dropout2` behind it. `embeddings` of
    words as Guo & Berkhahn, 2016.
    """
    from core.nets.resmlp import ResMlp

    return ResMlp(
        shape,
        n_blocks=n_blocks,
        d_block=d_block,
        d_hidden=d_hidden,
        dropout1=dropout1,
        dropout2=dropout2,
        batch_norm=batch_norm,
        embeddings=widths(shape, embeddings),
    )
