"""Layers that bend: each takes every number by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.parts.layers import same
from core.parts.sizing import Shape
from core.registry import layers

if TYPE_CHECKING:
    from torch import nn

Slope = Annotated[float, Field(ge=0, le=10)]


@layers.register(sized=same)
def relu(shape: Shape) -> nn.Module:
    """The larger of a number and 0."""
    from torch import nn

    return nn.ReLU()


@layers.register(sized=same)
def leaky_relu(shape: Shape, *, negative_slope: Slope = 0.01) -> nn.Module:
    """A number, or where it is below 0 a small share of it (Maas et al., 2013)."""
    from torch import nn

    return nn.LeakyReLU(negative_slope)


@layers.register(sized=same)
def elu(shape: Shape, *, alpha: Slope = 1.0) -> nn.Module:
    """A number, or where it is below 0 an exponential that ends at -alpha (Clevert et al., 2015)."""
    from torch import nn

    return nn.ELU(alpha)


@layers.register(sized=same)
def gelu(shape: Shape, *, approximate: Literal["none", "tanh"] = "none") -> nn.Module:
    """A number times the normal distribution's share below it (Hendrycks & Gimpel, 2016)."""
    from torch import nn

    return nn.GELU(approximate)


@layers.register(sized=same)
def silu(shape: Shape) -> nn.Module:
    """A number times its sigmoid (Elfwing et al., 2017)."""
    from torch import nn

    return nn.SiLU()


@layers.register(sized=same)
def tanh(shape: Shape) -> nn.Module:
    """The hyperbolic tangent, from -1 to 1."""
    from torch import nn

    return nn.Tanh()


@layers.register(sized=same)
def sigmoid(shape: Shape) -> nn.Module:
    """The logistic function, from 0 to 1; the losses of classes take logits, so not as the last layer."""
    from torch import nn

    return nn.Sigmoid()
