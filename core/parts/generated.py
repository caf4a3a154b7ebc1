"""Datasets: points drawn from a seed, the same ones on every machine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from core.checks import Finding
from core.data import Arrays, DataShape
from core.parts.limits import Features, Noise, Samples, Seed
from core.registry import datasets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _plane(*, samples: int, **_: Any) -> DataShape:
    return DataShape(samples=samples, features=(2,), classes=2)


def _groups(*, samples: int, features: int, classes: int, **_: Any) -> DataShape:
    return DataShape(samples=samples, features=(features,), classes=classes)


def _numbers(*, samples: int, features: int, **_: Any) -> DataShape:
    return DataShape(samples=samples, features=(features,))


def _one_of_each(*, samples: int, classes: int, **_: Any) -> Iterator[Finding]:
    if samples < classes:
        told = f"{samples} samples cannot hold {classes} classes; give at least {classes}."
        yield Finding(("samples",), samples, told, {"minimum": classes})


@datasets.register(shape=_plane)
def moons(*, samples: Samples = 1_000, noise: Noise = 0.1, seed: Seed = 0) -> Arrays:
    """Two interleaved half circles in the plane."""
    import numpy as np

    upper = np.linspace(0, math.pi, samples - samples // 2)
    lower = np.linspace(0, math.pi, samples // 2)
    outer = np.stack([np.cos(upper), np.sin(upper)], axis=1)
    inner = np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1)
    return _two_classes(outer, inner, noise=noise, seed=seed)


@datasets.register(shape=_plane)
def circles(*, samples: Samples = 1_000, noise: Noise = 0.1, seed: Seed = 0) -> Arrays:
    """A circle of radius 1 around one of radius 0.5."""
    import numpy as np

    outer = np.linspace(0, 2 * math.pi, samples - samples // 2, endpoint=False)
    inner = np.linspace(0, 2 * math.pi, samples // 2, endpoint=False)
    wide = np.stack([np.cos(outer), np.sin(outer)], axis=1)
    narrow = 0.5 * np.stack([np.cos(inner), np.sin(inner)], axis=1)
    return _two_classes(wide, narrow, noise=noise, seed=seed)


@datasets.register(shape=_plane)
def spirals(*, samples: Samples = 1_000, noise: Noise = 0.1, seed: Seed = 0) -> Arrays:
    """Two spirals wound around each other, one and a half turns each."""
    import numpy as np

    arms = []
    for count, sign in ((samples - samples // 2, 1.0), (samples // 2, -1.0)):
        angle = 3 * math.pi * np.sqrt(np.linspace(0.05, 1, count))
        arms.append(sign * angle[:, None] / math.pi * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return _two_classes(*arms, noise=noise, seed=seed)


@datasets.register(shape=_groups, check=_one_of_each)
def blobs(
    *,
    samples: Samples = 1_000,
    features: Features = 2,
    classes: Annotated[int, Field(ge=2, le=10_000)] = 3,
    noise: Noise = 1.0,
    seed: Seed = 0,
) -> Arrays:
    """Round clouds of points, one for each class; `noise` is their deviation, the centers lie within 10 of zero."""
    import numpy as np

    draw = np.random.default_rng(seed)
    centers = draw.uniform(-10, 10, (classes, features))
    y = np.arange(samples, dtype=np.int64) % classes
    x = centers[y] + noise * draw.standard_normal((samples, features))
    return Arrays(x.astype(np.float32), y)


@datasets.register(shape=_numbers)
def linear(*, samples: Samples = 1_000, features: Features = 10, noise: Noise = 0.1, seed: Seed = 0) -> Arrays:
    """Numbers that follow y = Xw + b + noise, with w, b and X drawn from a normal distribution."""
    import numpy as np

    draw = np.random.default_rng(seed)
    weights, bias = draw.standard_normal((features, 1)), draw.standard_normal()
    x = draw.standard_normal((samples, features), dtype=np.float32)
    y = x @ weights + bias + noise * draw.standard_normal((samples, 1))
    return Arrays(x, y.astype(np.float32))


@datasets.register(shape=_numbers)
def random(*, samples: Samples = 100, features: Features = 10, seed: Seed = 0) -> Arrays:
    """Features and numbers drawn independently of each other: there is nothing to learn but by heart."""
    import numpy as np

    draw = np.random.default_rng(seed)
    x = draw.standard_normal((samples, features), dtype=np.float32)
    return Arrays(x, draw.standard_normal((samples, 1), dtype=np.float32))


def _two_classes(first: NDArray[np.float64], second: NDArray[np.float64], *, noise: float, seed: int) -> Arrays:
    import numpy as np

    points = np.concatenate([first, second])
    points = points + noise * np.random.default_rng(seed).standard_normal(points.shape)
    y = np.repeat(np.array([0, 1], dtype=np.int64), [len(first), len(second)])
    return Arrays(points.astype(np.float32), y)
