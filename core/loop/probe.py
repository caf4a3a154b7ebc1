"""A trial of a spec: the real run for a few steps, timed and measured, of which nothing stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch

from core.job import EpochRow
from core.loop.assembly import restores_best
from core.loop.cadence import Cadence, StopAsked
from core.loop.course import legs
from core.loop.epoch import train_epoch
from core.loop.evaluate import judge
from core.loop.gauge import Gauge
from core.loop.preparation import settle
from core.loop.resuming import begin
from core.loop.run import Run
from core.loop.supply import Supply
from core.loop.tally import Tally
from core.shelf import Folders
from core.spec import JobSpec
from core.usage import Trial

BUDGET_S = 4.0
"""Time for steps; the one that runs then is finished, and so is the data held back if an epoch was."""
ENOUGH_S = 1.5
"""Time after which no further epoch is begun: a shorter span says more of a busy machine than of the run."""


class Lap(NamedTuple):
    """So many steps of an epoch, their seconds, and of one that ended those of its evaluation, and of all the rest."""

    steps: int
    seconds: float
    judged_s: float | None
    rest_s: float = 0.0


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
    first = [_lap(run, lambda: True)]
    if first[0].judged_s is not None:  # of one step an epoch: its evaluation was the first, and slow as well
        first.append(_lap(run, lambda: True))
    ready = time.perf_counter()
    laps = _laps(run, enough=ready + min(budget_s, ENOUGH_S), until=ready + budget_s)
    step_s = sum(lap.seconds for lap in laps) / sum(lap.steps for lap in laps)
    whole = [lap for lap in laps if lap.judged_s is not None]
    sample_s = _sample_s(run, whole)
    rest_s = fmean(lap.rest_s for lap in whole) if whole else 0.0
    of_epochs = sum(lap.steps * step_s + rest_s + (lap.judged_s or 0.0) for lap in first)
    return Trial(
        device=device,
        startup_s=max(0.0, ready - began - of_epochs),
        step_s=step_s,
        sample_s=sample_s,
        rest_s=rest_s,
        steps=sum(lap.steps for lap in laps),
        memory=gauge.memory(run),
    )


def _laps(run: Run, *, enough: float, until: float) -> list[Lap]:
    """Laps to the end of the epoch that has begun, and whole ones until it is `enough`; none goes on past `until`."""
    laps: list[Lap] = []
    while not laps or (laps[-1].judged_s is not None and time.perf_counter() < enough):
        laps.append(_lap(run, lambda: time.perf_counter() >= until))
    return laps[1:] if len(laps) > 2 else laps  # the first holds the first evaluation


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
        row, taken, judged = over.value, run.position.step - before, time.perf_counter()
        _end(run, row)
        judged_s = judged - began - row.epoch_s
        return Lap(taken, row.epoch_s, max(0.0, judged_s), time.perf_counter() - judged)


def _end(run: Run, row: EpochRow) -> None:
    """What the loop does behind an epoch, as far as it takes time."""
    if restores_best(run.spec) and (run.watch.see(row) or not run.kept.weights):
        run.kept.keep(run.peers.weights(run.judged))
    run.end_epoch(row)


def _sample_s(run: Run, whole: list[Lap]) -> float:
    """Seconds to judge a sample of the validation part: by whole evaluations, else by a piece of it."""
    held = run.data.held
    if held is None:
        return 0.0
    if whole:
        return fmean(lap.judged_s or 0.0 for lap in whole) / held.size
    piece = held.take(torch.arange(min(held.size, 2 * run.spec.rows_at_once)))
    began = time.perf_counter()
    with torch.inference_mode():
        judge(run, piece)
    return (time.perf_counter() - began) / piece.size
