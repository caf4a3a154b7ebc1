"""How well samples are given back by a model whose target is its own input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from core.report.numbers import BINS, SHARES
from core.report.plain import highest, histogram, number, quantiles

MOST_FEATURES = 200


class Reconstructed:
    """Sums over pieces of samples beside what a model made of them, both as the model gets them."""

    def __init__(self) -> None:
        self._errors: list[Tensor] = []
        self._squares: Tensor | None = None

    def see(self, made: Tensor, x: Tensor) -> None:
        """Take what was made of the samples `x`: both `(samples, *features)`."""
        squares = (made - x).flatten(1).double().square().cpu()
        self._errors.append(squares.mean(1).sqrt())
        summed = squares.sum(0)
        self._squares = summed if self._squares is None else self._squares + summed

    def section(self, names: Sequence[str] | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The section `reconstruction` of a report, and the samples with the highest error: their `place`.

        An error is the root of the mean square of the differences: of a sample over its features, of a feature over
        the samples. Of many features those with the highest errors are told.
        """
        errors = torch.cat(self._errors)
        squares = torch.zeros(0) if self._squares is None else self._squares
        of_feature = (squares / max(1, len(errors))).sqrt()
        named = names if names is not None and len(names) == len(of_feature) else None
        section = {
            "rmse": number(errors.square().mean().sqrt()),
            "quantiles": quantiles(errors, SHARES),
            "histogram": histogram(errors, BINS),
            "features": [
                {"name": named[place] if named else str(place), "rmse": number(of_feature[place])}
                for place in highest(of_feature, MOST_FEATURES)
            ],
        }
        return section, [{"place": place, "error": number(errors[place])} for place in highest(errors)]
