"""Models that reconstruct what they are given; the fact `reconstructs` says so, and the data then needs no target."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.checks import Finding
from core.data import Cost, DataShape, ModelShape
from core.parts.limits import MaybeWidths, Width
from core.parts.models import Activation
from core.registry import models

if TYPE_CHECKING:
    from torch import nn

MaybeChannels = Annotated[tuple[Annotated[int, Field(ge=1, le=4_096)], ...], Field(strict=False, max_length=16)]


def _cost(shape: ModelShape, *, latent: int, hidden: tuple[int, ...], channels: tuple[int, ...], **_: Any) -> Cost:
    depth, *sides = shape.features
    parameters, kept, flat = 0, math.prod(shape.features), math.prod(shape.features)
    for after in channels if len(sides) == 2 else ():
        sides = [-(-side // 2) for side in sides]
        # there and back, a bias for each channel that comes out; what comes out is kept beside its activation
        parameters += 18 * depth * after + after + depth
        kept += 2 * flat + 2 * after * math.prod(sides)
        depth, flat = after, after * math.prod(sides)
    widths = [flat, *hidden, latent]
    parameters += sum(2 * before * after + before + after for before, after in pairwise(widths))
    return Cost(parameters, kept + 3 * flat + 4 * sum(hidden) + latent)


def _fits(shape: DataShape, *, channels: tuple[int, ...], **_: Any) -> Iterator[Finding]:
    if channels and len(shape.features) != 3:
        told = f"Channels are for pictures (channels, height, width); a sample here has the shape {[*shape.features]}."
        yield Finding(("channels",), list(channels), told, [[]])
    elif len(channels) > (most := math.ceil(math.log2(max(shape.features[1:], default=1)))):
        told = (
            f"Each convolution halves the picture, and {len(channels)} of them leave nothing to halve of one "
            f"with a side of {max(shape.features[1:])}; at most {most} fit."
        )
        yield Finding(("channels",), list(channels), told, {"maxItems": most})


@models.register(cost=_cost, fits=_fits, reconstructs=True, pictures=True, patchable=("activation",))
def autoencoder(
    shape: ModelShape,
    *,
    latent: Width = 16,
    hidden: MaybeWidths = (128,),
    channels: MaybeChannels = (),
    activation: Activation = "relu",
) -> nn.Module:
    """An autoencoder: layers down to a code of `latent` numbers, and mirrored ones up to the sample again.

    Hinton & Salakhutdinov, 2006. Its target is its own input, so the dataset needs none; with the augmentation `noise`
    it learns to take noise out (Vincent et al., 2008). `channels` are convolutions of pictures, each at half the size,
    in front of the fully connected layers, and their transposes behind these.
    """
    from core.nets.autoencoder import Autoencoder

    return Autoencoder(shape, latent=latent, hidden=hidden, channels=channels, activation=activation)
