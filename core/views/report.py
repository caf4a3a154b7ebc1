"""What an evaluation report says: `report.json`, version 1. Of many numbers six digits are told, of figures all."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.views.page import View

Figure = float | None
"""Null where it is not defined, or not finite."""
Kind = Literal["classes", "labels", "numbers", "tokens", "reconstruction"]


class AveragedView(View):
    """Means over classes or labels: all alike (macro), weighted by their samples, or over all samples (micro)."""

    precision: Figure
    recall: Figure
    f1: Figure


class ClassFiguresView(View):
    """How well one class is told; `support` is how many samples are of it."""

    name: str
    precision: Figure
    recall: Figure
    f1: Figure
    support: int = Field(ge=0)


class ConfusionView(View):
    """`counts[i][j]`: how many samples of class `names[i]` were taken for `names[j]`.

    Of more than 50 classes the 49 with the most mistakes are shown, and all others as `(others)`.
    """

    names: list[str]
    counts: list[list[int]]


class ConfusedView(View):
    """How often one class was taken for another."""

    true: str
    predicted: str
    count: int = Field(ge=0)


class BinView(View):
    """The predictions whose share is in one of 15 equal parts of 0 to 1: how many, their mean share and accuracy."""

    count: int = Field(ge=0)
    share: Figure
    accuracy: Figure


class CalibrationView(View):
    """How far shares can be trusted: the expected calibration error (Guo et al., 2017) and the Brier score."""

    bins: list[BinView]
    expected_error: Figure
    brier: Figure


class BestThresholdView(View):
    """The threshold with the highest f1 on these very samples, and that f1."""

    threshold: Figure
    f1: Figure


class RocView(View):
    """The ROC curve, of 200 points at most, and the area below it."""

    area: Figure
    false_positive_rate: list[Figure]
    true_positive_rate: list[Figure]
    thresholds: list[Figure]


class PrecisionRecallView(View):
    """The precision-recall curve, of 200 points and its end at most, and the area below it (average precision)."""

    area: Figure
    precision: list[Figure]
    recall: list[Figure]
    thresholds: list[Figure]
    best: BestThresholdView


class ClassesReportView(View):
    """How well classes are told apart; the curves are there for two, of the second one.

    Of more than 1,000 classes `each` has the first ones.
    """

    accuracy: Figure
    macro: AveragedView
    weighted: AveragedView
    each: list[ClassFiguresView]
    confusion: ConfusionView
    confused: list[ConfusedView]
    calibration: CalibrationView
    roc: RocView | None
    precision_recall: PrecisionRecallView | None


class LabelFiguresView(ClassFiguresView):
    """How well one label is told at the threshold; `area` is that below its ROC curve."""

    area: Figure
    best: BestThresholdView | None


class LabelsReportView(View):
    """How well labels are told; of more than 500 the first ones."""

    threshold: float
    exact_match: Figure
    macro: AveragedView
    micro: AveragedView
    each: list[LabelFiguresView]


class HistogramView(View):
    """How many values lie between each edge and the next."""

    edges: list[Figure]
    counts: list[int]


class ScatterView(View):
    """True and predicted numbers of the same samples, evenly spaced among all."""

    true: list[Figure]
    predicted: list[Figure]


class TargetFiguresView(View):
    """How far one target's predictions are off, in its own unit; a residual is predicted minus true.

    `quantiles` are those of the residuals, by their shares. Of a forecast each step ahead is a target.
    """

    name: str
    r2: Figure
    mae: Figure
    rmse: Figure
    mean_residual: Figure
    std_residual: Figure
    quantiles: dict[str, Figure]
    histogram: HistogramView
    scatter: ScatterView


class NumbersReportView(View):
    """How far numbers are off; of more than 100 targets, evenly spaced ones."""

    each: list[TargetFiguresView]


class PositionView(View):
    """The mean loss of the tokens at these places of the window, from 1."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)
    tokens: int = Field(ge=0)
    loss: Figure


class TokensReportView(View):
    """How well a text is predicted; losses are in nats a token."""

    tokens: int = Field(ge=0)
    bytes: int = Field(ge=0)
    loss: Figure
    perplexity: Figure
    bits_per_byte: Figure
    by_position: list[PositionView]


class FeatureErrorView(View):
    """The root mean square error of one feature, as the model gets it."""

    name: str
    rmse: Figure


class ReconstructionReportView(View):
    """How well samples are given back, in scaled numbers; the features with the highest errors first, 200 at most."""

    rmse: Figure
    quantiles: dict[str, Figure]
    histogram: HistogramView
    features: list[FeatureErrorView]


class WorstView(View):
    """A sample that was predicted badly: its row in the dataset (from 1), or in the part's own file.

    Of classes the wrong predictions with the highest loss, with the predicted class's `share`; of numbers those with
    the highest `error`, in their own unit (of several targets: in standard deviations).
    """

    row: int = Field(ge=1)
    true: str | list[str] | list[Figure] | None = None
    predicted: str | list[str] | list[Figure] | None = None
    share: Figure = None
    loss: Figure = None
    error: Figure = None


class ReportView(View):
    """What the kept weights predict of the test part, or of the validation part of a job without one.

    `kind` names the section that is filled; `figures` are `loss` and the metrics. `epoch` (and `fold`, `seed`) say
    which weights these are. A client that knows `version` 1 can read whatever is added to it.
    """

    version: int = Field(ge=1)
    part: Literal["validation", "test"]
    samples: int = Field(ge=0)
    epoch: int | None
    fold: int | None = None
    seed: int | None = None
    figures: dict[str, Any]
    kind: Kind
    classes: ClassesReportView | None = None
    labels: LabelsReportView | None = None
    numbers: NumbersReportView | None = None
    tokens: TokensReportView | None = None
    reconstruction: ReconstructionReportView | None = None
    worst: list[WorstView]
