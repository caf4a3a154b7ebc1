"""Metrics of torchmetrics, computed over a whole split; each is built from the number of classes (None for numbers).

A metric for labels takes a second argument, the number of labels, which is given for these alone.

The convention for `update(prediction, target)`, which the loop keeps:

- more than two classes: prediction is the `(batch, classes)` matrix of probabilities (softmax of the logits);
- two classes: prediction is the `(batch,)` probability of class 1, whatever the loss: `sigmoid(logit)` when the model
  has one output (bce), the second column of the softmax when it has two (cross_entropy);
- numbers: prediction and target are `(batch, outputs)`, in the target's own unit;
- labels: prediction is the `(batch, labels)` matrix of probabilities (sigmoid of the logits), the target int64 of it;
- tokens: prediction is the `(tokens, vocabulary)` matrix of logits and target int64 `(tokens,)`, of those that count,
  piece by piece. A metric with the fact `in_bytes` takes a third argument: how many bytes each target stands for.

A class target is int64 `(batch,)`. With the fact `every_class` a metric is defined only where the target holds each of
the classes; the loop gives NaN elsewhere. Keep metrics on the CPU: the curve behind auroc has no deterministic CUDA
kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.registry import metrics

if TYPE_CHECKING:
    from torchmetrics import Metric

CLASSES = ("binary", "classes")
SETS = (*CLASSES, "labels")


@metrics.register(tasks=(*SETS, "tokens"), mode="max")
def accuracy(classes: int | None, labels: int | None = None) -> Metric:
    """The share of samples whose class is right; of labels the mean of that share over them; of tokens their share."""
    from torchmetrics import classification as of

    if labels is not None:
        return of.MultilabelAccuracy(labels, average="macro", validate_args=False)
    if classes == 2:
        return of.BinaryAccuracy(validate_args=False)
    return of.MulticlassAccuracy(_known(classes), average="micro", validate_args=False)


@metrics.register(tasks=SETS, mode="max")
def f1(classes: int | None, labels: int | None = None) -> Metric:
    """The harmonic mean of precision and recall: of class 1 for two classes, else the mean over the classes (macro).

    Over the classes that the target or the prediction holds, as scikit-learn's `f1_score`; over all labels, where one
    that neither holds counts 0.
    """
    from torchmetrics import classification as of

    if labels is not None:
        return of.MultilabelF1Score(labels, average="macro", validate_args=False)
    if classes == 2:
        return of.BinaryF1Score(validate_args=False)
    return of.MulticlassF1Score(_known(classes), average="macro", validate_args=False)


@metrics.register(tasks=SETS, mode="max", every_class=True)
def auroc(classes: int | None, labels: int | None = None) -> Metric:
    """The area under the ROC curve: of class 1 for two classes, else the mean over one against the rest (macro).

    A class without a sample, or with nothing but its own, has no such curve (Fawcett, 2006, "An introduction to ROC
    analysis"); torchmetrics would count it as 0. Neither has a label that every sample has, or none.
    """
    from torchmetrics import classification as of

    if labels is not None:
        return of.MultilabelAUROC(labels, average="macro", validate_args=False)
    if classes == 2:
        return of.BinaryAUROC(validate_args=False)
    return of.MulticlassAUROC(_known(classes), average="macro", validate_args=False)


@metrics.register(tasks=("labels",), mode="max")
def exact_match(classes: int | None, labels: int) -> Metric:
    """The share of samples whose labels are all right (subset accuracy)."""
    from torchmetrics import classification as of

    return of.MultilabelExactMatch(labels, validate_args=False)


@metrics.register(tasks=("numbers",), mode="min")
def mae(classes: int | None = None) -> Metric:
    """The mean absolute error."""
    from torchmetrics.regression import MeanAbsoluteError

    return MeanAbsoluteError()


@metrics.register(tasks=("numbers",), mode="min")
def rmse(classes: int | None = None) -> Metric:
    """The root of the mean squared error."""
    from torchmetrics.regression import MeanSquaredError

    return MeanSquaredError(squared=False)


@metrics.register(tasks=("numbers",), mode="max", min_samples=2)
def r2(
    classes: int | None = None, *, multioutput: Literal["uniform_average", "variance_weighted"] = "uniform_average"
) -> Metric:
    """The share of the target's variance that is explained.

    As scikit-learn's `r2_score`: 0 for the mean of the target, below for what is worse. Of several numbers it is the
    mean over these, or with `variance_weighted` the share of all their variance together.
    """
    from torchmetrics.regression import R2Score

    return R2Score(multioutput=multioutput)


@metrics.register(tasks=("tokens",), mode="min", in_bytes=True)
def perplexity(vocabulary: int | None = None) -> Metric:
    """The exponential of the mean cross entropy of a token (Jelinek et al., 1977)."""
    from core.nets import surprisal

    return surprisal.Surprisal(surprisal.perplexity)


@metrics.register(tasks=("tokens",), mode="min", in_bytes=True)
def bits_per_byte(vocabulary: int | None = None) -> Metric:
    """The cross entropy of the whole text in bits, by its bytes: it compares models whatever their tokens are."""
    from core.nets import surprisal

    return surprisal.Surprisal(surprisal.bits_per_byte)


def _known(classes: int | None) -> int:
    if classes is None:
        raise ValueError("This metric counts classes; the target is numbers.")
    return classes
