"""A trial of a spec: the real run for a few steps, timed and measured, of which nothing stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from core.loop.assembly import restores_best
from core.loop.cadence import Cadence, StopAsked
from core.loop.course import legs
from core.loop.epoch import train_epoch
from core.loop.evaluate import judge, rows_at_once
from core.loop.gauge import Gauge
from core.loop.preparation import settle
from core.loop.resuming import begin
from core.loop.run import Run, is_finite
from core.loop.supply import Supply
from core.loop.tally import Tally
from core.shelf import Folders
from core.spec import JobSpec
from core.usage import Trial

BUDGET_S = 4.0
"""Time for steps; the one that runs then is finished, and so is the data held back if an epoch was."""
EPOCHS = 4
"""Enough of small ones."""


class Lap(NamedTuple):
    """So many steps of an epoch, their seconds, and those of the evaluation if they were the last of it."""

    steps: int
    seconds: float
    judged_s: float | None


def probe(
    spec: JobSpec,
    *,
    device: str = "cpu",
    cache: Path | None = None,
    datasets: Path | Folders | None = None,
    budget_s: float = BUDGET_S,
) -> Trial:
    """Begin the run of `spec`, take a few steps, judge a piece of what is held back, and tell what that took.

    The steps are taken by the run's own loop, stopped behind the first, which is slow, and again when `budget_s` is
    over. It writes nothing but what `cache` keeps. Raises what a run may raise.
    """
    began = time.perf_counter()
    settle(threads=spec.resources.threads)
    gauge = Gauge(torch.device(device))
    course = legs(spec, ())
    run, _, _ = begin(course, Supply(torch.device(device), cache=cache, datasets=datasets), ())
    first, ready = _lap(run, lambda: True), time.perf_counter()
    laps = _laps(run, until=ready + budget_s)
    if restores_best(spec):
        run.kept.keep(run.peers.weights(run.judged))
    step_s = median(lap.seconds / lap.steps for lap in laps)
    return Trial(
        device=device,
        startup_s=max(0.0, ready - began - first.steps * step_s - (first.judged_s or 0.0)),
        step_s=step_s,
        sample_s=_sample_s(run, laps),
        steps=sum(lap.steps for lap in laps),
        memory=gauge.memory(run),
    )


def _laps(run: Run, *, until: float) -> list[Lap]:
    """Laps until it is time, or there were enough: to the end of the epoch that has begun, then whole ones."""
    laps: list[Lap] = []
    while len(laps) < EPOCHS and (not laps or (laps[-1].judged_s is not None and time.perf_counter() < until)):
        laps.append(_lap(run, lambda: time.perf_counter() >= until))
    return laps


def _lap(run: Run, stop: Callable[[], bool]) -> Lap:
    """Train until `stop` says so, or to the end of the epoch, which has its evaluation; the next lap goes on there."""
    before, began = run.position.step, time.perf_counter()
    run.tally = Tally()
    steps = run.spec.steps_per_epoch
    told = train_epoch(run, Cadence(run, folder=None, stop=lambda: run.position.step < steps and stop()))
    try:
        while True:
            next(told)
    except StopAsked:
        return Lap(run.position.step - before, run.tally.seconds, None)
    except StopIteration as over:
        row, taken = over.value, run.position.step - before
        judged_s = time.perf_counter() - began - row.epoch_s if is_finite(row.train_loss) else 0.0
        run.end_epoch(row)
        return Lap(taken, row.epoch_s, judged_s)


def _sample_s(run: Run, laps: list[Lap]) -> float:
    """Seconds to judge a sample of the validation part: by whole evaluations, else by a piece of it."""
    held = run.data.held
    if held is None:
        return 0.0
    if whole := [lap.judged_s for lap in laps if lap.judged_s is not None]:
        return median(whole) / held.size
    piece = held.take(torch.arange(min(held.size, 2 * rows_at_once(run.spec))))
    began = time.perf_counter()
    with torch.inference_mode():
        judge(run, piece)
    return (time.perf_counter() - began) / piece.size
