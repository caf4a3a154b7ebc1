"""Layers of the model `layers`: each builds one module; the shape before the star is what reaches it, of one sample.

The fact `sized` tells by arithmetic what the layer hands on and costs, or raises Misfit; `couples_batch` says that a
prediction rests on the whole batch, `in_one_piece` that its kernels want their weights so. Settings are torch's own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.parts.limits import Dropout, Momentum, Width
from core.parts.sizing import Misfit, Shape, Sized, sized
from core.registry import layers

if TYPE_CHECKING:
    from torch import nn

Out = Width | Literal["auto"]
Eps = Annotated[float, Field(gt=0, le=1)]
Axis = Annotated[int, Field(ge=-8, le=8)]
Place = Annotated[int, Field(ge=1, le=8)]
Sides = Annotated[
    tuple[Annotated[int, Field(ge=-1, le=1_000_000)], ...], Field(strict=False, min_length=1, max_length=6)
]


def same(shape: Shape, **_: Any) -> Sized:
    """A layer that changes numbers, not their places."""
    return sized(shape)


def _linear_sized(shape: Shape, *, out: int, bias: bool) -> Sized:
    return sized((*shape[:-1], out), (shape[-1] + bias) * out)


@layers.register(sized=_linear_sized)
def linear(shape: Shape, *, out: Out, bias: bool = True) -> nn.Module:
    """A fully connected layer over the last axis; `"out": "auto"` is as wide as the predictions are."""
    from torch import nn

    return nn.Linear(shape[-1], int(out), bias=bias)


@layers.register(sized=same)
def dropout(shape: Shape, *, p: Dropout = 0.5) -> nn.Module:
    """Zero each number with probability `p` while training (Srivastava et al., 2014)."""
    from torch import nn

    return nn.Dropout(p)


def _batch_norm_sized(shape: Shape, *, affine: bool, **_: Any) -> Sized:
    if len(shape) > 4:
        raise Misfit(
            f'"batch_norm" takes samples of up to 4 axes; what reaches it is {list(shape)}.', "Join some axes."
        )
    return sized(shape, 2 * affine * shape[0])


@layers.register(sized=_batch_norm_sized, couples_batch=True)
def batch_norm(shape: Shape, *, eps: Eps = 1e-5, momentum: Momentum = 0.1, affine: bool = True) -> nn.Module:
    """Scale each channel by its mean and deviation in the batch (Ioffe & Szegedy, 2015)."""
    from torch import nn

    made = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(shape) - 1]
    return made(shape[0], eps=eps, momentum=momentum, affine=affine)


def _layer_norm_sized(shape: Shape, *, dims: int, elementwise_affine: bool, **_: Any) -> Sized:
    if dims > len(shape):
        told = f'"layer_norm" is over the last {dims} axes; what reaches it is {list(shape)}.'
        raise Misfit(told, f"Take dims of at most {len(shape)}.")
    return sized(shape, 2 * elementwise_affine * math.prod(shape[-dims:]))


@layers.register(sized=_layer_norm_sized)
def layer_norm(shape: Shape, *, dims: Place = 1, eps: Eps = 1e-5, elementwise_affine: bool = True) -> nn.Module:
    """Scale each sample by its own mean and deviation over the last `dims` axes (Ba et al., 2016)."""
    from torch import nn

    return nn.LayerNorm(shape[-dims:], eps=eps, elementwise_affine=elementwise_affine)


def _group_norm_sized(shape: Shape, *, num_groups: int, affine: bool, **_: Any) -> Sized:
    if shape[0] % num_groups:
        told = f'"group_norm" parts channels into {num_groups} groups; what reaches it is {list(shape)}.'
        raise Misfit(told, f"Take num_groups that divide {shape[0]}.")
    if math.prod(shape) == num_groups:
        told = f'{num_groups} groups of "group_norm" hold one number each; what reaches it is {list(shape)}.'
        raise Misfit(told, "Take fewer num_groups: one number less its own mean is always 0.")
    return sized(shape, 2 * affine * shape[0])


@layers.register(sized=_group_norm_sized)
def group_norm(shape: Shape, *, num_groups: Width, eps: Eps = 1e-5, affine: bool = True) -> nn.Module:
    """Scale each sample's channels by groups, each by its mean and deviation (Wu & He, 2018)."""
    from torch import nn

    return nn.GroupNorm(num_groups, shape[0], eps=eps, affine=affine)


def _flatten_sized(shape: Shape, *, start_dim: int, end_dim: int) -> Sized:
    last = end_dim % (len(shape) + 1) if -len(shape) <= end_dim <= len(shape) else 0
    if not 1 <= start_dim <= last:
        told = f'"flatten" joins axes {start_dim} to {end_dim}, the batch being 0; what reaches it is {list(shape)}.'
        raise Misfit(told, f"Take axes from 1 to {len(shape)}.")
    return sized((*shape[: start_dim - 1], math.prod(shape[start_dim - 1 : last]), *shape[last:]))


@layers.register(sized=_flatten_sized)
def flatten(shape: Shape, *, start_dim: Place = 1, end_dim: Axis = -1) -> nn.Module:
    """Join the axes from `start_dim` to `end_dim` into one; 0 is the batch, so that 1 to -1 is all of a sample."""
    from torch import nn

    return nn.Flatten(start_dim, end_dim)


def _filled(shape: Shape, wanted: Shape) -> Shape:
    """`wanted` with its -1 filled in, so that it holds as many numbers as `shape`; raises Misfit."""
    known, numbers = math.prod(side for side in wanted if side != -1), math.prod(shape)
    free = wanted.count(-1)
    if free > 1 or known < 1 or numbers % known or (not free and known != numbers):
        told = f'"reshape" makes {list(wanted)}; what reaches it is {list(shape)}, which is {numbers:,} numbers.'
        raise Misfit(told, "Take sides whose product is that; one of them may be -1, which is what is left.")
    return tuple(numbers // known if side == -1 else side for side in wanted)


def _reshape_sized(wanted_of: Shape, *, shape: Shape) -> Sized:
    return sized(_filled(wanted_of, shape))


@layers.register(sized=_reshape_sized)
def reshape(before: Shape, *, shape: Sides) -> nn.Module:
    """Put a sample's numbers, in their order, into another shape; one side may be -1, which is what is left."""
    from core.nets.layers import Reshape

    return Reshape(_filled(before, shape))


def _transpose_sized(shape: Shape, *, dim0: int, dim1: int) -> Sized:
    if max(dim0, dim1) > len(shape):
        told = f'"transpose" swaps axes {dim0} and {dim1}, the batch being 0; what reaches it is {list(shape)}.'
        raise Misfit(told, f"Take axes from 1 to {len(shape)}.")
    swapped = list(shape)
    swapped[dim0 - 1], swapped[dim1 - 1] = shape[dim1 - 1], shape[dim0 - 1]
    return sized(tuple(swapped))


@layers.register(sized=_transpose_sized)
def transpose(shape: Shape, *, dim0: Place = 1, dim1: Place = 2) -> nn.Module:
    """Swap two axes, the batch being 0: a series' (time, columns) becomes (channels, length)."""
    from core.nets.layers import Transpose

    return Transpose(dim0, dim1)
