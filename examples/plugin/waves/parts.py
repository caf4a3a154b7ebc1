"""The parts: what a spec may say of each, and its cost by arithmetic. torch is imported where something is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.data import Arrays, Cost, DataShape, ModelShape
from core.registry import datasets, models, optimizers

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

SHAPES = ("sine", "square", "triangle")


def _shape(*, samples: int, length: int, **_: Any) -> DataShape:
    return DataShape(samples=samples, features=(length,), classes=len(SHAPES))


@datasets.register(shape=_shape)
def waves(
    *,
    samples: Annotated[int, Field(ge=30, le=1_000_000)] = 1_500,
    length: Annotated[int, Field(ge=8, le=4_096)] = 64,
    noise: Annotated[float, Field(ge=0, le=10)] = 0.3,
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0,
) -> Arrays:
    """Sine, square and triangle waves of some frequency and phase, with noise, to be told apart."""
    import numpy as np

    draw = np.random.default_rng(seed)
    kind = np.arange(samples) % len(SHAPES)
    turns = draw.uniform(1, 4, (samples, 1)) * np.linspace(0, 1, length) + draw.uniform(0, 1, (samples, 1))
    sine = np.sin(2 * np.pi * turns)
    clean = np.choose(kind[:, None], [sine, np.sign(sine), 2 / np.pi * np.arcsin(sine)])
    x = clean + noise * draw.standard_normal(clean.shape)
    return Arrays(x.astype(np.float32), kind.astype(np.int64), class_names=SHAPES)


def _fourier_cost(shape: ModelShape, *, frequencies: int, hidden: int) -> Cost:
    (length,) = shape.features
    weights = length * frequencies + (2 * frequencies + 1) * hidden + (hidden + 1) * shape.outputs
    return Cost(parameters=weights, activations=4 * frequencies + 2 * hidden + shape.outputs)


@models.register(cost=_fourier_cost, dims=(1,))
def fourier(
    shape: ModelShape,
    *,
    frequencies: Annotated[int, Field(ge=1, le=4_096)] = 64,
    hidden: Annotated[int, Field(ge=1, le=4_096)] = 64,
) -> nn.Module:
    """Sines and cosines of learned projections, then one hidden layer (Tancik et al., 2020)."""
    from waves.nets import Fourier

    return Fourier(shape.features[0], shape.outputs, frequencies=frequencies, hidden=hidden)


@optimizers.register(state=1)
def signum(
    weights: Iterable[Tensor], lr: float = 1e-3, *, momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
) -> Optimizer:
    """Steps by the sign of the momentum, all of one size (Bernstein et al., 2018)."""
    from waves.steps import Signum

    return Signum(weights, lr=lr, momentum=momentum)
