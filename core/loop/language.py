"""How well a language model predicts a text that it was not trained on, judged piece by piece: scores are large."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from core.data import PADDING
from core.loading.samples import Samples
from core.loop.run import Run, See
from core.registry import metrics


def judge(run: Run, pieces: Iterable[Samples], see: See) -> tuple[float, dict[str, float]]:
    """The mean cost of a token and the metrics over all pieces; what is padding does not count."""
    widths = _widths(run)
    in_bytes = {name: bool(metrics.get(name.removeprefix("val_")).facts.get("in_bytes")) for name in run.metrics}
    for metric in run.metrics.values():
        metric.reset()
    costs, counts = [0.0], [0]
    for piece in pieces:
        known = piece.y != PADDING
        if not (count := int(known.sum())):
            continue
        prediction = run.predict(piece.x.to(run.device))
        see(prediction, piece.y)
        costs.append(run.loss(prediction, piece.y.to(run.device)).item() * count)
        counts.append(count)
        scores, target = prediction[known.to(run.device)].cpu(), piece.y[known].cpu()
        for name, metric in run.metrics.items():
            metric.update(scores, target, *((widths[target],) if in_bytes[name] else ()))
    return math.fsum(costs) / sum(counts), {name: float(metric.compute()) for name, metric in run.metrics.items()}


def _widths(run: Run) -> torch.Tensor:
    tokens = run.data.columns.tokens
    if tokens is None:
        raise ValueError("Tokens are predicted of data that has none.")
    return torch.tensor(tokens.tokenizer.widths)
