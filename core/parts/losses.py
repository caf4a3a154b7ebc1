"""Losses: each builds a function of (prediction, target) that gives the mean over the batch.

A prediction is `(batch, outputs)` as the model gave it (logits for classes). A target is int64 `(batch,)` for classes
and float32 `(batch, outputs)` for numbers. Shapes are checked before anything is computed, since a broadcast would give
a wrong loss without a word. The fact `outputs` is the prediction's width where it is not that of the target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.errors import InvalidSpec
from core.registry import losses

if TYPE_CHECKING:
    from torch import Tensor

    Loss = Callable[[Tensor, Tensor], Tensor]

Smoothing = Annotated[float, Field(ge=0, lt=1)]
Delta = Annotated[float, Field(gt=0, le=1_000_000)]


@losses.register(tasks=("numbers",))
def mse() -> Loss:
    """The mean squared error."""
    from torch.nn.functional import mse_loss

    return _of_numbers(mse_loss)


@losses.register(tasks=("numbers",))
def mae() -> Loss:
    """The mean absolute error."""
    from torch.nn.functional import l1_loss

    return _of_numbers(l1_loss)


@losses.register(tasks=("numbers",))
def huber(*, delta: Delta = 1.0) -> Loss:
    """Squared for errors up to `delta`, linear beyond (Huber, 1964)."""
    from torch.nn.functional import huber_loss

    return _of_numbers(lambda prediction, target: huber_loss(prediction, target, delta=delta))


@losses.register(tasks=("binary", "classes"))
def cross_entropy(*, label_smoothing: Smoothing = 0.0) -> Loss:
    """The cross entropy of softmax scores, one for each class.

    Label smoothing as Szegedy et al., 2016: that share of the target is spread evenly over all classes.
    """
    from torch.nn import functional

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        _agree(prediction.ndim == 2 and target.shape == prediction.shape[:1], prediction, target)
        return functional.cross_entropy(prediction, target, label_smoothing=label_smoothing)

    return loss


@losses.register(tasks=("binary",), outputs=1)
def bce() -> Loss:
    """The binary cross entropy of one logit: two classes, the score of the second one."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        _agree(prediction.shape == (len(target), 1) and target.ndim == 1, prediction, target)
        return binary_cross_entropy_with_logits(prediction.squeeze(1), target.to(prediction.dtype))

    return loss


def _of_numbers(mean: Loss) -> Loss:
    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        _agree(prediction.shape == target.shape, prediction, target)
        return mean(prediction, target)

    return loss


def _agree(same: bool, prediction: Tensor, target: Tensor) -> None:  # noqa: FBT001
    if not same:
        shapes = f"{tuple(prediction.shape)} against {tuple(target.shape)}"
        raise InvalidSpec(f"The shapes of prediction and target do not fit this loss: {shapes}.", param="/loss")
