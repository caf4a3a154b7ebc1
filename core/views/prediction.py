"""What a trained model says of the samples that were sent to it."""

from __future__ import annotations

from typing import Any

from core.views.page import View


class WeightsView(View):
    """Which weights answered: of which job and epoch, of which of several folds or seeds, and their SHA-256."""

    job: str
    epoch: int | None = None
    fold: int | None = None
    seed: int | None = None
    sha256: str


class PredictionsView(View):
    """One object for each sample, in their order.

    Of classes `class` and `probabilities`; of labels `labels` and `probabilities`; of numbers `value` or `values`
    by the targets' names, in their own unit; of a series `behind_row` and its `forecast`; of an autoencoder `error`,
    `code` and `reconstruction`; of a language model `tokens`, `loss`, `perplexity`, `next` and `generated`.
    """

    data: list[dict[str, Any]]
    weights: WeightsView
