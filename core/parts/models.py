"""Models, sized from the data; each tells its cost by arithmetic, so that no spec is built to be judged.

Of the other facts, `smallest_batch` says what batch norm needs, `batch_coupled` whether a prediction rests on its whole
batch, `in_one_piece` whether its kernels want their weights so, and `patchable` names the settings that leave every
weight its name and shape: a fork may change them.
`embeds` says that words may come as codes, if its setting `embeddings` asks for it. `misfits` yields what does not fit
the shape to be built from, and `pictures` says that samples may be pictures, which are then scaled as wholes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import Cost, DataShape, ModelShape
from core.parts.embedded import Embeddings, joined, widths
from core.parts.limits import Dropout, MaybeWidths, Widths
from core.registry import models

if TYPE_CHECKING:
    from torch import nn

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"]


def _dense(widths: list[int]) -> Cost:
    """Fully connected layers: a weight for each pair of neighbours, a bias for each output."""
    return Cost(sum((before + 1) * after for before, after in pairwise(widths)), sum(widths))


def _linear_cost(shape: ModelShape) -> Cost:
    return _dense([math.prod(shape.features), shape.outputs])


def _mlp_cost(
    shape: ModelShape, *, hidden: tuple[int, ...], dropout: float, batch_norm: bool, embeddings: Any, **_: Any
) -> Cost:
    words = joined(shape, embeddings)
    dense = _dense([words.width, *hidden, shape.outputs])
    kept = sum(hidden) * (1 + bool(dropout) + batch_norm) + words.activations
    return Cost(dense.parameters + words.parameters + 2 * batch_norm * sum(hidden), dense.activations + kept)


def _mlp_smallest_batch(*, batch_norm: bool, **_: Any) -> int:
    return 2 if batch_norm else 1


def _mlp_couples(*, batch_norm: bool, **_: Any) -> bool:
    return batch_norm


def _cnn_cost(
    shape: ModelShape, *, channels: tuple[int, ...], kernel_size: int, pool: int, hidden: tuple[int, ...]
) -> Cost:
    before, height, width = shape.features
    parameters = kept = 0
    for after in channels:
        parameters += (before * kernel_size**2 + 1) * after
        kept += 3 * after * height * width
        before, height, width = after, height // pool, width // pool
    dense = _dense([before * height * width, *hidden, shape.outputs])
    return Cost(parameters + dense.parameters, kept + dense.activations + sum(hidden))


def _cnn_fits(shape: DataShape, *, channels: tuple[int, ...], pool: int, **_: Any) -> Iterator[Finding]:
    side = min(shape.features[1:])
    most = 64 if pool == 1 else int(math.log(side, pool) + 1e-9)
    if len(channels) > most:
        told = (
            f"{len(channels)} layers that each pool by {pool} leave nothing of an image with a side of {side}; "
            f"at most {most} fit."
        )
        yield Finding(("channels",), list(channels), told, {"maxItems": most})


@models.register(cost=_linear_cost)
def linear(shape: ModelShape) -> nn.Module:
    """One linear layer: linear, logistic or softmax regression, by the target."""
    from core.nets.linear import Linear

    return Linear(shape)


@models.register(
    cost=_mlp_cost,
    smallest_batch=_mlp_smallest_batch,
    batch_coupled=_mlp_couples,
    embeds=True,
    patchable=("activation", "dropout"),
)
def mlp(
    shape: ModelShape,
    *,
    hidden: Widths = (128,),
    activation: Activation = "relu",
    dropout: Dropout = 0.0,
    batch_norm: bool = False,
    embeddings: Embeddings = None,
) -> nn.Module:
    """A multilayer perceptron: fully connected layers of the given widths.

    Rumelhart et al., 1986; batch norm, before the activation, as Ioffe & Szegedy, 2015; dropout as Srivastava et al.,
    2014. `embeddings` of words as Guo & Berkhahn, 2016.
    """
    from core.nets.mlp import Mlp

    return Mlp(
        shape,
        hidden=hidden,
        activation=activation,
        dropout=dropout,
        batch_norm=batch_norm,
        embeddings=widths(shape, embeddings),
    )


def _kernel_is_odd(*, kernel_size: int, **_: Any) -> Iterator[Finding]:
    if kernel_size % 2 == 0:
        told = f"A kernel of {kernel_size} has no middle, so it cannot keep an image's size; take an odd one."
        yield Finding(("kernel_size",), kernel_size, told, "odd numbers from 1 to 31")


@models.register(cost=_cnn_cost, images=True, fits=_cnn_fits, check=_kernel_is_odd)
def cnn(
    shape: ModelShape,
    *,
    channels: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4_096)], ...], Field(strict=False, min_length=1, max_length=64)
    ] = (16, 32),
    kernel_size: Annotated[int, Field(ge=1, le=31)] = 3,
    pool: Annotated[int, Field(ge=1, le=16)] = 2,
    hidden: MaybeWidths = (64,),
) -> nn.Module:
    """A convolutional network for images: layers of convolution, ReLU and max pooling, then fully connected ones.

    After LeNet (LeCun et al., 1998).
    """
    from core.nets.cnn import Cnn

    return Cnn(shape, channels=channels, kernel_size=kernel_size, pool=pool, hidden=hidden)
