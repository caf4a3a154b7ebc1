"""A model whose cost no arithmetic knows, built once without memory and judged before it is built for good."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.checks import shown
from core.data import Cost
from core.errors import InvalidSpec, RunFailed
from core.registry import models, optimizers
from core.spec import JobSpec
from core.spec.cost import MAX_BYTES, MAX_PARAMETERS, training_bytes

_PARAM = "/model"


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
        told = f"The model {shown(spec.model.name)} cannot be built with these settings: {_sentence(error)}"
        raise InvalidSpec(told, hint="Change its settings, or the size of the samples.", param=_PARAM) from error
    _is_within_bounds(spec, sum(weight.numel() for weight in model.parameters()))
    _reads(spec, model.eval())


def _is_within_bounds(spec: JobSpec, parameters: int) -> None:
    if parameters > MAX_PARAMETERS:
        told = f"This model has {parameters:,} parameters; at most {MAX_PARAMETERS:,} are allowed."
        raise InvalidSpec(told, hint="Choose a smaller architecture.", param=_PARAM)
    state: Any = optimizers.get(spec.optimizer.name).facts.get("state", 2)
    kept = int(state(**spec.optimizer.settings()) if callable(state) else state)
    size = training_bytes(Cost(parameters, 0), state=kept, batch_size=0)
    if size > MAX_BYTES:
        most = f"{MAX_BYTES / 2**30:,.0f} GiB are allowed"
        told = f"Weights and optimizer state would take {size / 2**30:,.1f} GiB; at most {most}."
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
        told = f"The model {shown(spec.model.name)} {what}: {_sentence(error)}"
        hint = "Give it samples of another size (pictures have the dataset's setting size), or choose another model."
        raise InvalidSpec(told, hint=hint, param=_PARAM) from error
    wanted = (2, *(shape.features if spec.data_shape.next_token else ()), shape.outputs)
    if not isinstance(seen, Tensor) or tuple(seen.shape) != wanted:
        given = list(seen.shape[1:]) if isinstance(seen, Tensor) else type(seen).__name__
        told = f"The model {shown(spec.model.name)} gives {given} for a sample, not {list(wanted[1:])}."
        raise InvalidSpec(told, hint="Choose an architecture that classifies.", param=_PARAM)


def _needs_memory(error: Exception) -> bool:
    return isinstance(error, NotImplementedError) or "meta" in str(error).lower()


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]
