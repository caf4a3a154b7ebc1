"""Augmentations: each builds a change of a training batch that keeps its meaning; validation and test never see one.

A change is a function of (x, y, draws): x float32 `(batch, *features)`, y the targets as the loss takes them, draws the
random numbers of `core.augment.draws`, which are all the chance there is. What comes from the run is the range of the
data's pixels. The fact `unit` says what x is in: `pixels`, the data's own unit before it was scaled (0 is black in an
upload's pictures), or `model`, as the model gets it. `images` are for pictures alone, `mixes` makes soft targets of
`tasks`, and `range` tells that the range of the pixels is looked at. `spoils` takes something out of a sample that a
model which reconstructs it is to put back; all others change what is to be reconstructed too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import DataShape
from core.parts.limits import Share
from core.registry import augmentations

if TYPE_CHECKING:
    from torch import Tensor

    from core.augment.draws import Draws

    Change = Callable[[Tensor, Tensor, Draws], tuple[Tensor, Tensor]]

Range = tuple[float, float]
"""The least and the largest number that a pixel has."""

Padding = Literal["constant", "edge", "reflect"]
Pixels = Annotated[int, Field(ge=1, le=1_024)]
Area = Annotated[float, Field(gt=0, le=1)]
Areas = Annotated[tuple[Area, Area], Field(strict=False)]
Ratio = Annotated[float, Field(ge=0.01, le=100)]
Ratios = Annotated[tuple[Ratio, Ratio], Field(strict=False)]
Degrees = Annotated[float, Field(ge=0, le=180)]
Zoom = Annotated[float, Field(ge=0.1, le=10)]
Zooms = Annotated[tuple[Zoom, Zoom], Field(strict=False)]
Strength = Annotated[float, Field(ge=0, le=10)]
Deviation = Annotated[float, Field(ge=0, le=1_000)]
Concentration = Annotated[float, Field(ge=0.01, le=100)]


@augmentations.register(unit="pixels", images=True)
def flip(pixels: Range, *, horizontal: Share = 0.5, vertical: Share = 0.0) -> Change:
    """Mirror each picture left to right, and upside down, with these probabilities."""
    from core.augment.geometry import flipped

    def change(x: Tensor, draws: Draws) -> Tensor:
        across, down = draws.uniform(2)
        return flipped(flipped(x, across < horizontal, dim=3), down < vertical, dim=2)

    return _of_inputs(change)


def _padding_leaves_some(shape: DataShape, *, padding: int, **_: Any) -> Iterator[Finding]:
    most = min(shape.features[1:]) - 1
    if padding > most:
        told = f"A padding of {padding} can move all of a picture with a side of {most + 1} out of sight."
        yield Finding(("padding",), padding, told, {"maximum": most})


@augmentations.register(unit="pixels", images=True, fits=_padding_leaves_some)
def crop(pixels: Range, *, padding: Pixels = 4, padding_mode: Padding = "constant") -> Change:
    """Cut each picture's own size out of it, at a random place, after so many pixels were put around it.

    Krizhevsky et al., 2012; with padding He et al., 2016. Around it is 0 (`constant`), what is at its `edge`, or its
    mirror image (`reflect`).
    """
    from core.augment.geometry import moved

    def change(x: Tensor, draws: Draws) -> Tensor:
        down, right = (draws.uniform(2) * (2 * padding + 1)).long() - padding
        return moved(x, down, right, padding=padding_mode)

    return _of_inputs(change)


def _ranges_rise(**settings: Any) -> Iterator[Finding]:
    for name, value in settings.items():
        if isinstance(value, tuple) and value[0] > value[1]:
            yield Finding((name,), value, f"{list(value)} is no range: the smaller number comes first.", value[::-1])


@augmentations.register(unit="pixels", images=True, check=_ranges_rise)
def resized_crop(pixels: Range, *, scale: Areas = (0.08, 1.0), ratio: Ratios = (3 / 4, 4 / 3)) -> Change:
    """Cut a window of a random share of the area and a random shape out of each picture, enlarged to its size.

    Szegedy et al., 2015; `ratio` is width by height, drawn evenly in its logarithm. A side that would be longer than
    the picture's is cut to it. Bilinear.
    """
    from core.augment.geometry import zoomed

    def change(x: Tensor, draws: Draws) -> Tensor:
        at, beside, shares, shapes = draws.uniform(4)
        height, width = _window(x, _between(shares, scale), shapes, ratio=ratio)
        return zoomed(x, at * (x.shape[2] - height), beside * (x.shape[3] - width), height, width)

    return _of_inputs(change)


@augmentations.register(unit="pixels", images=True, check=_ranges_rise)
def affine(
    pixels: Range,
    *,
    degrees: Degrees = 10.0,
    translate: Share = 0.0,
    scale: Zooms = (1.0, 1.0),
    padding_mode: Padding = "constant",
) -> Change:
    """Turn each picture about its middle by up to `degrees` either way, enlarge it by `scale`, and move it.

    `translate` is the most that it moves, as a share of each side. Bilinear; what comes into sight is as in `crop`.
    """
    from core.augment.geometry import turned

    def change(x: Tensor, draws: Draws) -> Tensor:
        angles, zooms, down, right = draws.uniform(4)
        angle = _between(angles, (-math.radians(degrees), math.radians(degrees)))
        shift = _between(down, (-translate, translate)), _between(right, (-translate, translate))
        return turned(x, angle, _between(zooms, scale), shift, padding=padding_mode)

    return _of_inputs(change)


def _colours_are_there(shape: DataShape, *, saturation: float, **_: Any) -> Iterator[Finding]:
    if saturation and shape.features[0] != 3:
        told = f"Pictures of {shape.features[0]} channels have no saturation; three have: red, green and blue."
        yield Finding(("saturation",), saturation, told, [0])


@augmentations.register(unit="pixels", images=True, range=True, fits=_colours_are_there)
def color(pixels: Range, *, brightness: Strength = 0.2, contrast: Strength = 0.2, saturation: Strength = 0.0) -> Change:
    """Change each picture's brightness, contrast and saturation, in that order, by up to these shares either way.

    Factors and greys as in torchvision's ColorJitter. After each of the three, pixels stay between the least and the
    largest that there can be: 0 and 1 in an upload's pictures, else those of the training part.
    """
    from core.augment import colour

    low, high = pixels
    steps = (colour.brightened, brightness), (colour.contrasted, contrast), (colour.saturated, saturation)

    def change(x: Tensor, draws: Draws) -> Tensor:
        x = x - low
        for drawn, (step, strength) in zip(draws.uniform(3), steps, strict=True):
            if strength:
                x = step(x, _between(drawn, (max(0.0, 1 - strength), 1 + strength))).clamp(0, high - low)
        return x + low

    return _of_inputs(change)


@augmentations.register(unit="model", spoils=True)
def noise(pixels: Range, *, std: Deviation = 0.1) -> Change:
    """Add Gaussian noise to every number that the model gets (Bishop, 1995); under `standard`, in deviations.

    It is for tables as well, where it also reaches what was encoded.
    """

    def change(x: Tensor, draws: Draws) -> Tensor:
        return x + std * draws.normal(math.prod(x.shape[1:])).reshape(x.shape)

    return _of_inputs(change)


def _hole_leaves_some(shape: DataShape, *, length: int, **_: Any) -> Iterator[Finding]:
    most = min(shape.features[1:])
    if length > most:
        told = f"A hole of {length} pixels is larger than a picture with a side of {most}."
        yield Finding(("length",), length, told, {"maximum": most})


@augmentations.register(unit="model", spoils=True, images=True, fits=_hole_leaves_some)
def cutout(pixels: Range, *, length: Pixels = 8) -> Change:
    """Cover a square of each picture, whose middle is anywhere in it, with 0: the mean under `standard`.

    DeVries & Taylor, 2017.
    """
    from core.augment.geometry import Boxes, covered

    def change(x: Tensor, draws: Draws) -> Tensor:
        top, left = (
            (drawn * side).long() - length // 2 for drawn, side in zip(draws.uniform(2), x.shape[2:], strict=True)
        )
        return covered(x, Boxes(top, left, top + length, left + length))

    return _of_inputs(change)


@augmentations.register(unit="model", spoils=True, images=True, check=_ranges_rise)
def random_erasing(pixels: Range, *, p: Share = 0.5, scale: Areas = (0.02, 0.33), ratio: Ratios = (0.3, 3.3)) -> Change:
    """Cover a rectangle of a random share of the area, with probability `p`, with 0: the mean under `standard`.

    Zhong et al., 2020; `ratio` is width by height, drawn evenly in its logarithm.
    """
    from core.augment.geometry import Boxes, covered

    def change(x: Tensor, draws: Draws) -> Tensor:
        applies, at, beside, shares, shapes = draws.uniform(5)
        sides = _window(x, _between(shares, scale), shapes, ratio=ratio)
        height, width = (side.round().clamp(min=1).long() * (applies < p) for side in sides)
        top, left = (at * (x.shape[2] - height + 1)).long(), (beside * (x.shape[3] - width + 1)).long()
        return covered(x, Boxes(top, left, top + height, left + width))

    return _of_inputs(change)


@augmentations.register(unit="model", mixes=True, tasks=("numbers", "binary", "classes", "labels"))
def mixup(pixels: Range, *, alpha: Concentration = 0.2, p: Share = 1.0) -> Change:
    """Mix each sample with another of its batch, and their targets, by one share of Beta(alpha, alpha) for all.

    Zhang et al., 2018; it is for tables as well. With probability `p`, drawn for each batch.
    """
    from core.augment import mixing

    return lambda x, y, draws: mixing.mixup(x, y, draws, alpha=alpha, p=p)


@augmentations.register(unit="model", images=True, mixes=True, tasks=("binary", "classes", "labels"))
def cutmix(pixels: Range, *, alpha: Concentration = 1.0, p: Share = 0.5) -> Change:
    """Put a box of another picture of the batch into each, at the same place; targets are mixed by the areas.

    Yun et al., 2019: the box takes 1 - Beta(alpha, alpha) of the area. With probability `p`, drawn for each batch.
    """
    from core.augment import mixing

    return lambda x, y, draws: mixing.cutmix(x, y, draws, alpha=alpha, p=p)


def _of_inputs(change: Callable[[Tensor, Draws], Tensor]) -> Change:
    """The change of samples whose targets stay as they are."""
    return lambda x, y, draws: (change(x, draws), y)


def _between(drawn: Tensor, ends: Range) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * drawn


def _window(x: Tensor, shares: Tensor, drawn: Tensor, *, ratio: Range) -> tuple[Tensor, Tensor]:
    """The height and the width of windows with these shares of the area and shapes between those of `ratio`."""
    shapes = _between(drawn, (math.log(ratio[0]), math.log(ratio[1]))).exp()
    area = shares * (x.shape[2] * x.shape[3])
    return (area / shapes).sqrt().clamp(max=x.shape[2]), (area * shapes).sqrt().clamp(max=x.shape[3])
