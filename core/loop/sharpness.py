"""How sharp the minimum is that a run found: how much its cost rises when the kept weights are shaken a little."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.job import Progress
from core.loading.batches import Feed
from core.loading.order import generator
from core.loop.assembly import make_feed
from core.loop.run import Run, shuffled

_TINY = 1e-30
_DRAWN = 0
"""The epoch by which samples and directions are drawn: those that train count from 1."""


def measure(run: Run) -> Generator[Progress, None, dict[str, float] | None]:
    """`cost` of the weights over samples that train, and its `mean` and `max` rise; None where nobody asked.

    In each direction every filter moves by `radius` times its own norm (Li et al., 2018, "Visualizing the Loss
    Landscape of Neural Nets"): a network whose filters are scaled up, and the next layer's down, is as sharp as before.
    Biases and the weights of norms stay. Samples and directions rest on the seed alone, the model is in eval mode, and
    it has the same weights when this ends. Tells at most twice a second how long it will take.
    """
    if (wanted := run.spec.sharpness) is None:
        return None
    run.judged.eval()
    rows = shuffled(run.spec, _DRAWN)[: wanted.samples]
    feed, began = _feed(run), time.monotonic()
    cost, rises = _cost(run, feed, rows), list[float]()
    for place in range(wanted.directions):
        with shaken(run.judged, generator(run.spec.seed, _DRAWN, place), radius=wanted.radius):
            rises.append(_cost(run, feed, rows) - cost)
        if run.pace.due():
            left = wanted.directions - len(rises)
            yield run.pace.behind(run.position.epoch, left_s=(time.monotonic() - began) / (len(rises) + 1) * left)
    mean = math.fsum(rises) / len(rises) if all(map(math.isfinite, rises)) else sum(rises)
    return {"cost": cost, "mean": mean, "max": _largest(rises), "samples": len(rows)}


@contextmanager
def shaken(model: nn.Module, source: torch.Generator, *, radius: float) -> Iterator[None]:
    """Within, the filters of `model` are moved by `radius` of their norms in a direction from `source`; then as before.

    A filter is what makes one output: a slice of the first axis of a weight that has several. Directions are drawn on
    the CPU, so that they are the same on every device.
    """
    weights = [weight for weight in model.parameters() if weight.dim() > 1]
    before = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight in weights:
                weight.add_(_normalised(torch.randn(weight.shape, generator=source).to(weight), weight), alpha=radius)
        yield
    finally:
        with torch.no_grad():
            for weight, was in zip(weights, before, strict=True):
                weight.copy_(was)


def _normalised(direction: Tensor, weight: Tensor) -> Tensor:
    """The direction with each filter as long as the weight's."""
    length, wanted = (one.flatten(1).norm(dim=1) for one in (direction, weight))
    moved: Tensor = direction * (wanted / length.clamp_min(_TINY)).reshape(-1, *[1] * (weight.dim() - 1))
    return moved


def _feed(run: Run) -> Feed:
    """The samples that train, as they are without augmentation, as many at a time as are judged."""
    loader = run.spec.loader.model_copy(update={"num_workers": 0})
    spec = run.spec.model_copy(update={"loader": loader})
    return make_feed(spec, run.data, run.device, at_once=run.spec.rows_at_once)


@torch.no_grad()
def _cost(run: Run, feed: Feed, rows: Tensor) -> float:
    """The mean cost over `rows`; of tokens, over those that are known."""
    costs, counts = [0.0], [0]
    for batch in feed(rows):
        count = run.count(batch)
        costs.append(run.loss(run.predict(batch.x), batch.y).item() * count if count else 0.0)
        counts.append(count)
    return math.fsum(costs) / sum(counts)


def _largest(rises: list[float]) -> float:
    return math.nan if any(map(math.isnan, rises)) else max(rises)
