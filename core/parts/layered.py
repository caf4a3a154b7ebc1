"""The model `layers`: an architecture as a list in the spec, sized layer by layer from the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

import core.parts.models  # noqa: F401  (the models that are not made of a list come first in the catalogue)
from core.checks import Finding, Path, refuse, shown
from core.choice import Choice
from core.data import Cost, ModelShape
from core.parts.blocks import MAX_LAYERS, modules, one_by_one
from core.parts.sizing import Misfit, through
from core.registry import PartSettings, models
from core.registry import layers as known

if TYPE_CHECKING:
    from torch import nn

MAX_DEPTH = 5
"""Lists within lists, the model's own among them."""

_LISTS = ("layers", "shortcut")
"""The settings of a block that are lists of layers; `branches` is a list of such."""


def _bounded(value: Any) -> Any:
    """Choose the layers, after what is far larger than any model was refused without a look at them."""
    seen = 0
    left: list[tuple[Any, Path, int]] = [(value, (), 1)]
    while left and seen <= MAX_LAYERS:
        stack, path, depth = left.pop()
        if depth > MAX_DEPTH:
            told = f"These blocks are {depth} deep in one another; at most {MAX_DEPTH} levels of lists are allowed."
            raise refuse("layers", [Finding(path, None, told, {"levels": MAX_DEPTH})])
        if isinstance(stack, list | tuple):
            seen += len(stack)
            left += [(*one, depth + 1) for place, layer in enumerate(stack) for one in _held(layer, (*path, place))]
    if seen > MAX_LAYERS:
        told = f"This holds more than {MAX_LAYERS} layers, counted through all blocks."
        raise refuse("layers", [Finding((), None, told, {"layers": MAX_LAYERS})])
    return one_by_one(value)


def _held(layer: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """The lists of layers in a block, as they were sent or as they were chosen, and where they are."""
    settings = layer.settings() if isinstance(layer, PartSettings) else layer
    if not isinstance(settings, dict):
        return
    yield from ((settings[name], (*path, name)) for name in _LISTS if name in settings)
    branches = settings.get("branches")
    if isinstance(branches, list | tuple):
        yield from ((branch, (*path, "branches", place)) for place, branch in enumerate(branches))


Stack = Annotated[
    tuple[Annotated[PartSettings, Choice(known, briefly=True)], ...],
    BeforeValidator(_bounded),
    Field(
        strict=False,
        min_length=1,
        max_length=MAX_LAYERS,
        description="In their order: a name, or an object with a name and settings, which the catalogue's layers have. "
        'The last gives as many numbers as are predicted: {"name": "linear", "out": "auto"} always does.',
    ),
]


def _fitted(stack: Sequence[PartSettings], outputs: int) -> tuple[PartSettings, ...]:
    """`stack` with every width that is "auto" filled in."""
    return tuple(one.model_copy(update=_widths(one.settings(), outputs)) for one in stack)


def _widths(settings: dict[str, Any], outputs: int) -> dict[str, Any]:
    found: dict[str, Any] = {name: _fitted(settings[name], outputs) for name in _LISTS if name in settings}
    if "branches" in settings:
        found["branches"] = tuple(_fitted(branch, outputs) for branch in settings["branches"])
    return found | ({"out": outputs} if settings.get("out") == "auto" else {})


def _cost(shape: ModelShape, *, layers: Sequence[PartSettings]) -> Cost:
    try:
        made = through(_fitted(layers, shape.outputs), shape.features)
    except Misfit:
        return Cost(0, 0)  # told by what follows; there is nothing to weigh
    return Cost(made.parameters, made.activations)


def _misfits(shape: ModelShape, *, layers: Sequence[PartSettings]) -> Iterator[Finding]:
    try:
        made = through(_fitted(layers, shape.outputs), shape.features).shape
    except Misfit as misfit:
        yield Finding(("layers", *misfit.path), None, str(misfit))
        return
    if made != (shape.outputs,):
        last, ready = layers[-1].name, '{"name": "linear", "out": "auto"}'
        flat = '"flatten" and ' if len(made) > 1 else ""
        told = (
            f"The last layer, {shown(last)}, gives {list(made)}; the predictions for this target and loss are "
            f"{[shape.outputs]}. End with {flat}{ready}, which always fits."
        )
        yield Finding(("layers", len(layers) - 1), last, told, {"shape": [shape.outputs]})


def _every(stack: Sequence[PartSettings]) -> Iterator[PartSettings]:
    """Each layer, and each within it."""
    for layer in stack:
        yield layer
        for inner, _ in _held(layer, ()):
            yield from _every(inner)


def _couples(*, layers: Sequence[PartSettings]) -> bool:
    return any(known.get(one.name).facts.get("couples_batch") for one in _every(layers))


def _in_one_piece(*, layers: Sequence[PartSettings]) -> bool:
    return any(known.get(one.name).facts.get("in_one_piece") for one in _every(layers))


def _smallest_batch(*, layers: Sequence[PartSettings]) -> int:
    return 2 if _couples(layers=layers) else 1


@models.register(
    cost=_cost,
    misfits=_misfits,
    smallest_batch=_smallest_batch,
    batch_coupled=_couples,
    in_one_piece=_in_one_piece,
    pictures=True,
)
def layers(shape: ModelShape, *, layers: Stack) -> nn.Module:
    """Layers one after another as a list says them, each sized by what reaches it; the last gives the predictions."""
    from core.nets.layers import Layers

    return Layers(modules(_fitted(layers, shape.outputs), shape.features))
