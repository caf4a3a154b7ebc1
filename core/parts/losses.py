"""Losses: each builds a function of (prediction, target) that gives the mean over the batch.

A prediction is `(batch, outputs)` as the model gave it (logits for classes and labels). A target is int64 `(batch,)`
for classes, float32 `(batch, outputs)` for numbers and, as 0 and 1, for labels. Shapes are checked before anything is
computed, since a broadcast would give a wrong loss without a word. The fact `outputs` is the prediction's width for
classes where it is not their number; `fits` finds what is wrong with the settings for a shape of data.

A loss that asks for it, by a name before its settings, is handed what counts the targets of the training part.

Of tokens a prediction is `(batch, length, vocabulary)` and a target int64 `(batch, length)`; where that is padding it
does not count, and the mean is over the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.data import PADDING, Count
from core.errors import InvalidSpec
from core.parts.weighing import (
    Weighing,
    beside,
    class_weights,
    classes_are_weighed,
    classes_or_labels_are_weighed,
    pos_weights,
    something_counts,
)
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


@losses.register(tasks=("binary", "classes", "tokens"), check=something_counts, fits=classes_are_weighed)
def cross_entropy(
    count: Count | None = None, *, label_smoothing: Smoothing = 0.0, class_weight: Weighing = None
) -> Loss:
    """The cross entropy of softmax scores, one for each class; of tokens one for each id.

    Label smoothing as Szegedy et al., 2016: that share of the target is spread evenly over all classes. A target may
    also be each class's share, float32 `(batch, classes)`. A class's share of the target counts `class_weight` times,
    and the mean is over the samples: it is not divided by their weights, as torch does.
    """
    from torch.nn import functional

    weights = beside(class_weights(class_weight, count))

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        if prediction.ndim == 3:
            _agree(target.shape == prediction.shape[:2], prediction, target)
            # flat: the kernel for more dimensions has no deterministic backward pass on CUDA
            flat, ids = prediction.flatten(0, 1), target.flatten()
            return functional.cross_entropy(flat, ids, ignore_index=PADDING, label_smoothing=label_smoothing)
        # shares of the classes, as mixed samples have them, are as wide as the prediction
        wanted = prediction.shape if target.is_floating_point() else prediction.shape[:1]
        _agree(prediction.ndim == 2 and target.shape == wanted, prediction, target)
        if (weight := weights(prediction)) is None:
            return functional.cross_entropy(prediction, target, label_smoothing=label_smoothing)
        return functional.cross_entropy(
            prediction, target, weight, label_smoothing=label_smoothing, reduction="none"
        ).mean()

    return loss


@losses.register(tasks=("binary", "labels"), outputs=1, check=something_counts, fits=classes_or_labels_are_weighed)
def bce(
    count: Count | None = None,
    *,
    label_smoothing: Smoothing = 0.0,
    class_weight: Weighing = None,
    pos_weight: Weighing = None,
) -> Loss:
    """The binary cross entropy of one logit: two classes, the score of the second one; or of a logit for each label.

    Of labels it is the mean over samples and labels, as torch's `BCEWithLogitsLoss`, and `pos_weight` says how often a
    label counts where it is there. Of two classes each one's share of the target counts `class_weight` times, and the
    mean is over the samples. `label_smoothing` is the share of a target that is spread over both answers.
    """
    from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

    weights, positives = beside(class_weights(class_weight, count)), beside(pos_weights(pos_weight, count))

    def smooth(target: Tensor) -> Tensor:
        return target * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else target

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 2:
            _agree(prediction.shape == target.shape, prediction, target)
            return binary_cross_entropy_with_logits(prediction, smooth(target), pos_weight=positives(prediction))
        _agree(prediction.shape == (len(target), 1) and target.ndim == 1, prediction, target)
        logit, second = prediction.squeeze(1), smooth(target.to(prediction.dtype))
        if (weight := weights(prediction)) is None:
            return binary_cross_entropy_with_logits(logit, second)
        shares = weight[1] * second * logsigmoid(logit) + weight[0] * (1 - second) * logsigmoid(-logit)
        return -shares.mean()

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
