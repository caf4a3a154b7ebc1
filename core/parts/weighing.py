"""How much each class or label counts in a loss: as a list says, or by how rare it is in what trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding, shown
from core.data import Count, DataShape
from core.errors import InvalidSpec
from core.instead import OrWord

if TYPE_CHECKING:
    from torch import Tensor

BALANCED = "balanced"
Weights = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1_000_000)], ...], Field(strict=False, min_length=1, max_length=1_000)
]
Weighing = Annotated[
    Weights | Literal["balanced"] | None, OrWord(BALANCED, value="null, a list with a number for each")
]


def something_counts(**settings: Any) -> Iterator[Finding]:
    """Not every weight is 0."""
    for name in ("class_weight", "pos_weight"):
        weights = settings.get(name)
        if isinstance(weights, tuple) and not any(weights):
            told = f"{shown(weights)} lets nothing count, so there is nothing to learn: give one number above 0."
            yield Finding((name,), weights, told, {"contains": {"exclusiveMinimum": 0}})


def classes_are_weighed(shape: DataShape, *, class_weight: Weighing = None, **_: Any) -> Iterator[Finding]:
    """There is a weight for each class, where there are classes."""
    if class_weight is None:
        return
    if shape.classes is None:
        words = "labels are weighed one by one: take pos_weight" if shape.multilabel else "tokens are not weighed"
        told = f"class_weight is for classes; {words}, and leave class_weight out."
        yield Finding(("class_weight",), class_weight, told, [None])
    else:
        yield from _as_many("class_weight", class_weight, shape.classes, of="classes")


def classes_or_labels_are_weighed(
    shape: DataShape, *, pos_weight: Weighing = None, **settings: Any
) -> Iterator[Finding]:
    """The same, and of labels a weight for those that have each."""
    yield from classes_are_weighed(shape, **settings)
    if pos_weight is not None and not shape.multilabel:
        told = "pos_weight is for labels; two classes take class_weight, which has a number for each of them."
        yield Finding(("pos_weight",), pos_weight, told, [None])
    elif pos_weight is not None:
        yield from _as_many("pos_weight", pos_weight, shape.outputs, of="labels")


def class_weights(wanted: Weighing, count: Count | None) -> Sequence[float] | None:
    """A weight for each class; "balanced" is n / (k * count), as scikit-learn has it (King & Zeng, 2001).

    Raises InvalidSpec when a class is not there in what trains.
    """
    if not isinstance(wanted, str):
        return wanted
    counts = _counted(count)
    return _shares(
        [counts.samples] * len(counts.each), [len(counts.each) * one for one in counts.each], of="class_weight"
    )


def pos_weights(wanted: Weighing, count: Count | None) -> Sequence[float] | None:
    """A weight for those that have each label; "balanced" is how many do not have it over how many do.

    Raises InvalidSpec when none or all of what trains has a label.
    """
    if not isinstance(wanted, str):
        return wanted
    counts = _counted(count)
    return _shares([counts.samples - one for one in counts.each], counts.each, of="pos_weight")


def beside(weights: Sequence[float] | None) -> Callable[[Tensor], Tensor | None]:
    """The weights as a tensor, wherever and of whatever kind the tensor is that they are asked for beside.

    They are put there once.
    """
    import torch

    found: dict[tuple[Any, Any], Tensor] = {}

    def there(other: Tensor) -> Tensor | None:
        if weights is None:
            return None
        key = (other.device, other.dtype)
        if key not in found:
            with torch.inference_mode(mode=False):  # a run may begin by judging, and train by them then
                found[key] = torch.tensor(weights, device=other.device, dtype=other.dtype)
        return found[key]

    return there


def _as_many(name: str, weights: Any, wanted: int, *, of: str) -> Iterator[Finding]:
    if weights != BALANCED and len(weights) != wanted:
        told = f"This list has {len(weights)} numbers, and there are {wanted} {of}: give one for each, in their order."
        yield Finding((name,), weights, told, {"minItems": wanted, "maxItems": wanted})


def _counted(count: Count | None) -> Any:
    if count is None:
        raise TypeError("What is balanced must be counted, and nobody said how.")
    return count()


def _shares(over: Sequence[int], under: Sequence[int], *, of: str) -> list[float]:
    for place, (above, below) in enumerate(zip(over, under, strict=True)):
        if not (above and below):
            noun, have = ("class", "is that") if of == "class_weight" else ("label", "has that")
            quantity = "No" if not below else "Every"
            raise InvalidSpec(
                f"{quantity} sample that trains {have} of the {noun} at place {place}, so it cannot be balanced.",
                hint=f"Give {of} a list, or split the data so that each {noun} is there.",
                param=f"/loss/{of}",
            )
    return [above / below for above, below in zip(over, under, strict=True)]
