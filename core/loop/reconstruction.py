"""Samples that are their own targets: how batches come, and how well a model gives them back, judged piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from torch import Tensor

from core.loading.batches import Feed
from core.loading.samples import Samples
from core.loop.run import Run, See


def to_itself(feed: Feed) -> Feed:
    """The same batches, each sample its own target."""

    def fed(order: Tensor) -> Iterator[Samples]:
        for batch in feed(order):
            yield Samples(batch.x, batch.x)

    return fed


def judge(run: Run, pieces: Iterable[Samples], see: See) -> tuple[float, dict[str, float]]:
    """The mean cost of a sample and the metrics over all pieces, both of the numbers that the model gets.

    These are scaled, so that columns of different units count alike.
    """
    for metric in run.metrics.values():
        metric.reset()
    costs, counts = [0.0], [0]
    for piece in pieces:
        x = piece.x.to(run.device)
        made = run.predict(x)
        see(made, x)
        costs.append(run.loss(made, x).item() * len(x))
        counts.append(len(x))
        for metric in run.metrics.values():
            metric.update(made.flatten(1).cpu(), x.flatten(1).cpu())
    return math.fsum(costs) / sum(counts), {name: float(metric.compute()) for name, metric in run.metrics.items()}
