"""A model whose cost no arithmetic knows, built once without memory and judged before it is built for good."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.checks import shown
from core.data import Cost
from core.errors import InvalidSpec, RunFailed, sentence
from core.registry import models
from core.spec import JobSpec
from core.spec.bounds import too_large, too_many
from core.spec.cost import training_bytes

_PARAM = "/model"
_SHORT = 300


def judge(spec: JobSpec) -> None:
    """Raise InvalidSpec for a model that cannot be built, is too large, or cannot read the data.

    What torch cannot do without memory is judged no further: the run itself will tell.
    """
    if spec.cost is not None:
        return
    try:
        with torch.device("meta"):
            model: nn.Module = models.build(spec.model, spec.model_shape)
    except RunFailed:
        raise
    except Exception as error:
        if _needs_memory(error):
            return
        told = f"The model {shown(spec.model.name)} cannot be built with these settings: {sentence(error)[:_SHORT]}"
        raise InvalidSpec(told, hint="Change its settings, or the size of the samples.", param=_PARAM) from error
    _is_within_bounds(spec, sum(weight.numel() for weight in model.parameters()))
    _reads(spec, model.eval())


def _is_within_bounds(spec: JobSpec, parameters: int) -> None:
    if told := too_many(parameters):
        raise InvalidSpec(told, hint="Choose a smaller architecture.", param=_PARAM)
    size = training_bytes(Cost(parameters, 0), state=spec.optimizer_state, batch_size=0)
    if told := too_large(size, "weights and optimizer state"):
        raise InvalidSpec(told, hint="Choose a smaller architecture, or an optimizer that keeps less.", param=_PARAM)


@torch.no_grad()
def _reads(spec: JobSpec, model: nn.Module) -> None:
    """A look at two samples gives as many predictions as wanted."""
    shape = spec.model_shape
    kind = torch.float32 if shape.vocabulary is None else torch.int64
    try:
        seen = model(torch.zeros(2, *shape.features, dtype=kind, device="meta"))
    except Exception as error:
        if _needs_memory(error):
            return
        what = f"cannot read samples of the shape {list(shape.features)}"
        told = f"The model {shown(spec.model.name)} {what}: {sentence(error)[:_SHORT]}"
        hint = "Give it samples of another size (pictures have the dataset's setting size), or choose another model."
        raise InvalidSpec(told, hint=hint, param=_PARAM) from error
    wanted = (2, *(shape.features if spec.data_shape.next_token else ()), shape.outputs)
    if not isinstance(seen, Tensor) or tuple(seen.shape) != wanted:
        given = list(seen.shape[1:]) if isinstance(seen, Tensor) else type(seen).__name__
        told = f"The model {shown(spec.model.name)} gives {given} for a sample, not {list(wanted[1:])}."
        raise InvalidSpec(told, hint="Choose an architecture that classifies.", param=_PARAM)


def _needs_memory(error: Exception) -> bool:
    return isinstance(error, NotImplementedError) or "meta" in str(error).lower()
