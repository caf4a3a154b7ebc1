"""Layers that hold layers: what is added to its input, and what goes several ways at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from core.checks import MAX_PROBLEMS, Finding, explain, refuse
from core.choice import Choice
from core.parts.sizing import Misfit, Shape, Sized, sized, through, within
from core.registry import PartSettings
from core.registry import layers as known

if TYPE_CHECKING:
    from torch import nn

MAX_LAYERS = 200
"""In all blocks of a model together."""


def one_by_one(value: Any) -> Any:
    """Choose each layer of a list, as far as there are not yet more problems than are told."""
    if not isinstance(value, list | tuple):
        return value
    chosen: list[PartSettings] = []
    found: list[Finding] = []
    for place, layer in enumerate(value):
        if len(found) > MAX_PROBLEMS:
            break
        try:
            chosen.append(known.choose(layer))
        except ValidationError as error:
            found += (one.under(place) for one in explain(error, PartSettings, noun="a layer"))
    if found:
        raise refuse("layers", found)
    return tuple(chosen)


Stack = Annotated[
    tuple[Annotated[PartSettings, Choice(known, briefly=True)], ...],
    BeforeValidator(one_by_one),
    Field(strict=False, max_length=MAX_LAYERS),
]
Filled = Annotated[Stack, Field(min_length=1)]
Branches = Annotated[tuple[Stack, ...], Field(strict=False, min_length=2, max_length=16)]


def modules(stack: Sequence[PartSettings], shape: Shape) -> list[nn.Module]:
    """The modules of `stack`, the first of which gets samples of this shape."""
    built: list[nn.Module] = []
    for chosen in stack:
        built.append(known.build(chosen, shape))
        shape = through((chosen,), shape).shape
    return built


def _residual_sized(shape: Shape, *, layers: Stack, shortcut: Stack) -> Sized:
    with within("layers"):
        deep = through(layers, shape)
    with within("shortcut"):
        beside = through(shortcut, shape)
    if deep.shape != beside.shape:
        told = f'The layers of "residual" give {list(deep.shape)}, to be added to {list(beside.shape)}.'
        raise Misfit(told, "Make them alike: by out and padding in its layers, or by a shortcut with a conv of size 1.")
    return _joined(deep.shape, deep, beside)


def _parallel_sized(shape: Shape, *, branches: tuple[Stack, ...], join: str) -> Sized:
    made = []
    for place, branch in enumerate(branches):
        with within("branches", place):
            made.append(through(branch, shape))
    first = made[0].shape
    free = 1 if join == "concat" else 0
    for one in made[1:]:
        if (len(one.shape), one.shape[free:]) != (len(first), first[free:]):
            told = f'The branches of "parallel" give {" and ".join(str(list(each)) for each in (first, one.shape))}.'
            alike = "may differ in the first number alone" if free else "must be alike"
            raise Misfit(told, f'To join them by "{join}", they {alike}.')
    width = sum(one.shape[0] for one in made) if free else first[0]
    return _joined((width, *first[1:]), *made)


def _joined(shape: Shape, *made: Sized) -> Sized:
    """What this shape takes beside all that went into it; a sum of several is made step by step."""
    kept = sum(one.activations for one in made) + sized(shape, times=len(made) - 1).activations
    return Sized(shape, sum(one.parameters for one in made), kept)


@known.register(sized=_residual_sized)
def residual(shape: Shape, *, layers: Filled, shortcut: Stack = ()) -> nn.Module:
    """What its layers make of their input, added to that input, or to what the layers of `shortcut` make of it.

    He et al., 2016.
    """
    from core.nets.layers import Residual

    return Residual(modules(layers, shape), modules(shortcut, shape))


@known.register(sized=_parallel_sized)
def parallel(shape: Shape, *, branches: Branches, join: Literal["concat", "sum"] = "concat") -> nn.Module:
    """Several stacks over the same input, joined in the first axis (concat) or added (sum); an empty one hands it on.

    Szegedy et al., 2015.
    """
    from core.nets.layers import Parallel

    return Parallel([modules(branch, shape) for branch in branches], join=join)
