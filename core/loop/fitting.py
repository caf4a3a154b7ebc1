"""How weights fit a model: by the names and shapes of their tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

TOLD = 5
"""Tensors of a kind that a sentence names."""


@dataclass(frozen=True)
class Fit:
    """How weights fit a model, by names: taken, missing in the file, only in the file, and of another shape or kind.

    Of the last both shapes are told: the file's, then the model's.
    """

    taken: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: Mapping[str, str]

    @classmethod
    def of(cls, model: nn.Module, tensors: Mapping[str, Tensor]) -> Fit:
        """The fit of `tensors` to the weights and buffers of `model`."""
        own = tensors_of(model)
        shared = [name for name in own if name in tensors]
        misshapen = {
            name: f"{_form(tensors[name])} there, {_form(own[name])} here"
            for name in shared
            if not _is_alike(own[name], tensors[name])
        }
        return cls(
            taken=tuple(name for name in shared if name not in misshapen),
            missing=tuple(name for name in own if name not in tensors),
            unexpected=tuple(name for name in tensors if name not in own),
            misshapen=misshapen,
        )

    @property
    def is_whole(self) -> bool:
        """Whether every tensor on either side has its like on the other."""
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def words(self) -> str:
        """What does not fit: the first few of each kind."""
        shapes = [f"{name} ({shapes})" for name, shapes in self.misshapen.items()]
        told = (_few("missing", self.missing), _few("not in the model", self.unexpected), _few("misshapen", shapes))
        return "; ".join(filter(None, told))


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """The weights and buffers of a model by name, as they lie in it."""
    return {name: one for name, one in model.state_dict().items() if isinstance(one, Tensor)}


def _is_alike(own: Tensor, other: Tensor) -> bool:
    return own.shape == other.shape and own.is_floating_point() == other.is_floating_point()


def _form(tensor: Tensor) -> str:
    kind = "" if tensor.is_floating_point() else f" {str(tensor.dtype).removeprefix('torch.')}"
    return f"{list(tensor.shape)}{kind}"


def _few(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - TOLD:,} more" if len(names) > TOLD else ""
    return f"{what}: {', '.join(names[:TOLD])}{more}" if names else ""
