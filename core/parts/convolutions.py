"""Layers that slide a window over a sample's sides: convolutions and pools, in one dimension and in two."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.parts.sizing import Misfit, Shape, Sized, sized, slid, spread, wants_axes
from core.registry import layers

if TYPE_CHECKING:
    from torch import nn

Channels = Annotated[int, Field(ge=1, le=65_536)]
Step = Annotated[int, Field(ge=1, le=1_024)]
Pad = Annotated[int, Field(ge=0, le=1_024)]
Steps = Step | Annotated[tuple[Step, Step], Field(strict=False)]
Pads = Pad | Annotated[tuple[Pad, Pad], Field(strict=False)]
Word = Literal["same", "valid"]

AXES = {1: ("channels", "length"), 2: ("channels", "height", "width")}


def _sides(shape: Shape, name: str, *, axes: int) -> Shape:
    wants_axes(shape, name, *AXES[axes])
    return shape[1:]


def _keeps_size(
    *, out: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: int, bias: bool
) -> Iterator[Finding]:
    if out % groups:
        told = f"{out} channels cannot come from {groups} groups evenly; make out a multiple of groups."
        yield Finding(("out",), out, told, {"multipleOf": groups})
    if padding != "same":
        return
    if max(spread(stride, 1)) > 1:
        told = f'With padding "same" the window moves by 1, not by {stride}: give the padding as a number.'
        yield Finding(("stride",), stride, told, [1])
    if any(dil * (size - 1) % 2 for size, dil in zip(spread(kernel_size, 2), spread(dilation, 2), strict=True)):
        told = f"A kernel of {kernel_size} has no middle, so it cannot keep the size; take an odd one."
        yield Finding(("kernel_size",), kernel_size, told, "odd numbers")


def _convolved(name: str, axes: int) -> Any:
    """The fact `sized` of a convolution over so many axes."""

    def told(shape: Shape, *, out: int, kernel_size: Any, padding: Any, groups: int, bias: bool, **moves: Any) -> Sized:
        sides, channels = _sides(shape, name, axes=axes), shape[0]
        if channels % groups:
            words = f'"{name}" parts channels into {groups} groups; what reaches it is {list(shape)}.'
            raise Misfit(words, f"Take groups that divide {channels}.")
        window, left = spread(kernel_size, axes), sides
        if padding != "same":
            moved = {"padding": spread(0 if padding == "valid" else padding, axes)}
            moved |= {setting: spread(value, axes) for setting, value in moves.items()}
            left = slid(name, sides, kernel_size=window, **moved)
        return sized((out, *left), out * (channels // groups * math.prod(window) + bias))

    return told


@layers.register(sized=_convolved("conv1d", 1), check=_keeps_size)
def conv1d(
    shape: Shape,
    *,
    out: Channels,
    kernel_size: Step,
    stride: Step = 1,
    padding: Pad | Word = 0,
    dilation: Step = 1,
    groups: Step = 1,
    bias: bool = True,
) -> nn.Module:
    """A convolution over (channels, length)."""
    from torch import nn

    return nn.Conv1d(shape[0], out, kernel_size, stride, padding, dilation, groups, bias)


@layers.register(sized=_convolved("conv2d", 2), check=_keeps_size)
def conv2d(
    shape: Shape,
    *,
    out: Channels,
    kernel_size: Steps,
    stride: Steps = 1,
    padding: Pads | Word = 0,
    dilation: Steps = 1,
    groups: Step = 1,
    bias: bool = True,
) -> nn.Module:
    """A convolution over (channels, height, width); what slides may be told by [height, width] (LeCun et al., 1989)."""
    from torch import nn

    return nn.Conv2d(shape[0], out, kernel_size, stride, padding, dilation, groups, bias)


def _padding_is_half(*, kernel_size: Any, padding: Any, **_: Any) -> Iterator[Finding]:
    most = [size // 2 for size in spread(kernel_size, 2)]
    if any(pad > half for pad, half in zip(spread(padding, 2), most, strict=True)):
        told = f"A padding of {padding} is more than half of the kernel of {kernel_size}, so a pool could be empty."
        yield Finding(("padding",), padding, told, {"maximum": min(most)})


def _pooled(name: str, axes: int) -> Any:
    """The fact `sized` of a pool over so many axes; torch's stride is the kernel's size when not given."""

    def told(shape: Shape, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> Sized:
        sides = _sides(shape, name, axes=axes)
        moved = {"stride": kernel_size if stride is None else stride, "padding": padding, "dilation": dilation}
        moved = {setting: spread(value, axes) for setting, value in moved.items()}
        return sized((shape[0], *slid(name, sides, kernel_size=spread(kernel_size, axes), **moved)))

    return told


@layers.register(sized=_pooled("max_pool1d", 1), check=_padding_is_half)
def max_pool1d(
    shape: Shape, *, kernel_size: Step, stride: Step | None = None, padding: Pad = 0, dilation: Step = 1
) -> nn.Module:
    """The largest number of each window over (channels, length); stride is kernel_size when null."""
    from torch import nn

    return nn.MaxPool1d(kernel_size, stride, padding, dilation)


@layers.register(sized=_pooled("max_pool2d", 2), check=_padding_is_half)
def max_pool2d(
    shape: Shape, *, kernel_size: Steps, stride: Steps | None = None, padding: Pads = 0, dilation: Steps = 1
) -> nn.Module:
    """The largest number of each window over (channels, height, width); stride is kernel_size when null."""
    from torch import nn

    return nn.MaxPool2d(kernel_size, stride, padding, dilation)


@layers.register(sized=_pooled("avg_pool1d", 1), check=_padding_is_half)
def avg_pool1d(shape: Shape, *, kernel_size: Step, stride: Step | None = None, padding: Pad = 0) -> nn.Module:
    """The mean of each window over (channels, length); stride is kernel_size when null."""
    from torch import nn

    return nn.AvgPool1d(kernel_size, stride or kernel_size, padding)


@layers.register(sized=_pooled("avg_pool2d", 2), check=_padding_is_half)
def avg_pool2d(shape: Shape, *, kernel_size: Steps, stride: Steps | None = None, padding: Pads = 0) -> nn.Module:
    """The mean of each window over (channels, height, width); stride is kernel_size when null."""
    from torch import nn

    return nn.AvgPool2d(kernel_size, stride, padding)


def _adapted(name: str, axes: int) -> Any:
    """The fact `sized` of a pool to sides that are given; with what is between two axes."""

    def told(shape: Shape, *, output_size: Any) -> Sized:
        _sides(shape, name, axes=axes)
        wanted = spread(output_size, axes)
        between = shape[0] * wanted[0] * math.prod(shape[2:]) if axes == 2 else 0
        return Sized((shape[0], *wanted), 0, shape[0] * math.prod(wanted) + between)

    return told


@layers.register(sized=_adapted("adaptive_avg_pool1d", 1))
def adaptive_avg_pool1d(shape: Shape, *, output_size: Step) -> nn.Module:
    """Means over (channels, length) that leave `output_size` places, whatever the length."""
    from core.nets.layers import AdaptiveAvgPool

    return AdaptiveAvgPool(shape[1:], (output_size,))


@layers.register(sized=_adapted("adaptive_avg_pool2d", 2))
def adaptive_avg_pool2d(shape: Shape, *, output_size: Steps) -> nn.Module:
    """Means over (channels, height, width) that leave `output_size` places on each side, whatever the sides."""
    from core.nets.layers import AdaptiveAvgPool

    return AdaptiveAvgPool(shape[1:], spread(output_size, 2))


def _global_sized(shape: Shape) -> Sized:
    if len(shape) < 2:
        told = f'"global_avg_pool" takes the mean of each channel; what reaches it is {list(shape)}, without sides.'
        raise Misfit(told, "Leave it out.")
    return sized(shape[:1])


@layers.register(sized=_global_sized)
def global_avg_pool(shape: Shape) -> nn.Module:
    """The mean of each channel over all its sides (Lin et al., 2013)."""
    from core.nets.layers import GlobalAvgPool

    return GlobalAvgPool()
