"""How good the model is on the samples that it does not train on."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from core.loading.samples import SampleSet
from core.loop import language, reconstruction
from core.loop.run import Run, See, unseen
from core.registry import metrics


@torch.inference_mode()
def evaluate(run: Run) -> tuple[float | None, dict[str, float]]:
    """The cost and the metrics over the whole validation part, never a mean of batch means; (None, {}) without one.

    The cost is in the unit that the loss was trained in (standardised with `preprocess.target`); metrics of numbers
    are in the target's own unit, but of a sample that is its own target they are scaled too. A metric that is not
    defined on this split is NaN.
    """
    held = run.data.held
    return (None, {}) if held is None else judge(run, held)


def judge_kept(run: Run, see: See) -> dict[str, float] | None:
    """`loss` and the metrics, by their plain names, of the weights that are kept; None where nothing is held back.

    The model has them. Over the test part, or over the validation part without one; `see` gets what is predicted there.
    """
    samples = run.data.last
    if samples is None:
        return None
    with torch.inference_mode():
        cost, figures = judge(run, samples, see)
    return {"loss": cost, **{name.removeprefix("val_"): figure for name, figure in figures.items()}}


def judge(run: Run, samples: SampleSet, see: See = unseen) -> tuple[float, dict[str, float]]:
    """The cost and the metrics over these samples; `see` gets what is predicted."""
    run.judged.eval()
    if run.spec.data_shape.next_token:
        return language.judge(run, samples.cut(run.spec.rows_at_once), see)
    if run.spec.data_shape.reconstructs:
        return reconstruction.judge(run, samples.cut(run.spec.rows_at_once), see)
    parts = (part.to(run.device) for part in samples.cut(run.spec.rows_at_once))
    prediction = torch.cat([run.predict(part.x) for part in parts])
    target = samples.y
    cost = run.loss(prediction, target.to(run.device)).item()
    prediction, target = prediction.cpu(), target.cpu()
    see(prediction, target)
    return cost, _measure(run, prediction, target)


def _measure(run: Run, prediction: Tensor, target: Tensor) -> dict[str, float]:
    shape = run.spec.data_shape
    if shape.multilabel:
        prediction, target = prediction.sigmoid(), target.long()
    elif shape.classes:
        prediction = _probabilities(prediction)
    else:
        prediction, target = run.data.columns.target.undo(prediction), run.data.columns.target.undo(target)
    return {name: _figure(run, name, prediction, target=target) for name in run.metrics}


def _figure(run: Run, name: str, prediction: Tensor, *, target: Tensor) -> float:
    facts = metrics.get(name.removeprefix("val_")).facts
    if facts.get("every_class") and not _has_every_class(target, run.spec.data_shape.classes):
        return math.nan
    metric = run.metrics[name]
    metric.reset()
    metric.update(prediction, target)
    return float(metric.compute())


def _has_every_class(target: Tensor, classes: int | None) -> bool:
    """Whether the target holds each class; without classes, whether each label is there and is missing somewhere."""
    if classes is None:
        return bool((target.amin(0) != target.amax(0)).all())
    return len(np.unique(target.numpy())) == classes


def _probabilities(scores: Tensor) -> Tensor:
    """Of each class; of two classes that of the second: from one logit, or from a score for each."""
    if scores.shape[1] == 1:
        return scores.squeeze(1).sigmoid()
    shares = scores.softmax(1)
    return shares[:, 1] if shares.shape[1] == 2 else shares
