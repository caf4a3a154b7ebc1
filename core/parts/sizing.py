"""What a stack of layers makes of a sample's shape, and what it costs, by arithmetic alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from core.checks import Path
from core.registry import PartSettings, layers

Shape = tuple[int, ...]
"""One sample's shape, without the batch: `(features,)`, `(channels, length)` or `(channels, height, width)`."""


@dataclass(frozen=True, slots=True)
class Sized:
    """What a layer hands on, how many weights it trains, and how many numbers of a sample are kept for its gradient."""

    shape: Shape
    parameters: int = 0
    activations: int = 0


class Misfit(Exception):
    """A layer cannot take what reaches it: `path` leads to it from the stack that was looked at."""

    def __init__(self, told: str, remedy: str, *, path: Path = ()) -> None:
        super().__init__(f"{told} {remedy}")
        self.told, self.remedy, self.path = told, remedy, path


def sized(shape: Shape, parameters: int = 0, *, times: int = 1) -> Sized:
    """A layer whose output has this shape and is kept, `times` over."""
    return Sized(shape, parameters, times * math.prod(shape))


def through(stack: Sequence[PartSettings], shape: Shape) -> Sized:
    """What `stack` makes of samples of this shape; raises Misfit with the place of the first that does not fit."""
    parameters = activations = 0
    for place, chosen in enumerate(stack):
        with within(place):
            made: Sized = layers.get(chosen.name).facts["sized"](shape, **chosen.settings())
        shape, parameters, activations = made.shape, parameters + made.parameters, activations + made.activations
    return Sized(shape, parameters, activations)


@contextmanager
def within(*path: str | int) -> Iterator[None]:
    """Whatever does not fit in here, is found under `path`."""
    try:
        yield
    except Misfit as misfit:
        raise Misfit(misfit.told, misfit.remedy, path=(*path, *misfit.path)) from None


def wants_axes(shape: Shape, name: str, *axes: str) -> None:
    """Raise Misfit unless a sample has the axes of this name; the remedy follows from the axes that it has."""
    if len(shape) == len(axes):
        return
    if len(shape) > len(axes):
        remedy = 'Put "flatten" before it.' if len(axes) == 1 else f"Join axes by flatten before it, to {len(axes)}."
    else:
        remedy = f'Make {len(axes)} axes before it, as {{"name": "reshape", "shape": [{", ".join(axes)}]}} does.'
    raise Misfit(f'"{name}" takes [{", ".join(axes)}]; what reaches it is {list(shape)}.', remedy)


def slid(
    name: str,
    shape: Shape,
    *,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Shape:
    """The sides that are left of `shape` when a window goes over them; raises Misfit where it is larger than a side.

    Dumoulin & Visin, 2016; rounded down, as torch does.
    """
    sides = zip(shape, kernel_size, stride, padding, dilation, strict=True)
    left = tuple((side + 2 * pad - dil * (size - 1) - 1) // step + 1 for side, size, step, pad, dil in sides)
    if min(left) < 1:
        window = [dil * (size - 1) + 1 for size, dil in zip(kernel_size, dilation, strict=True)]
        told = f'The window of "{name}" spans {window}; what reaches it has the sides {list(shape)}.'
        raise Misfit(told, "Take a smaller kernel_size, more padding, or fewer layers before it that shrink the sides.")
    return left


def spread(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * axes if isinstance(value, int) else value
