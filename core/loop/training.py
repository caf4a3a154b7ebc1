"""The loop: from random weights to trained ones, told as it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from core import wire
from core.errors import Diverged
from core.events import EpochDone, Finished, Resumed, RunEvent, Started, Stopped
from core.failpoints import failpoint
from core.job import Artifact, EpochRow, Reason
from core.loop.assembly import restores_best
from core.loop.auto import find_numbers
from core.loop.cadence import Cadence, Saving, StopAsked, never
from core.loop.course import Leg, legs
from core.loop.epoch import train_epoch
from core.loop.evaluate import judge_kept
from core.loop.gauge import Gauge
from core.loop.groups import trainable
from core.loop.peers import ALONE, Peers
from core.loop.preparation import settle
from core.loop.report import Seen
from core.loop.report import save as save_report
from core.loop.resuming import begin
from core.loop.run import Run, is_finite, unseen
from core.loop.sharpness import measure as sharpness_of
from core.loop.stages import enter
from core.loop.supply import Supply
from core.loop.turning import crown
from core.loop.versions import versions_of
from core.loop.weights import save as save_weights
from core.shelf import Folders
from core.spec import JobSpec
from core.usage import Memory

NOWHERE = Saving()
NONE: Mapping[str, float] = MappingProxyType({})


def train(  # noqa: PLR0913  (all but two have a default)
    spec: JobSpec,
    *,
    folder: Path,
    device: str = "cpu",
    cache: Path | None = None,
    datasets: Path | Folders | None = None,
    save: Saving = NOWHERE,
    numbers: Mapping[str, float] = NONE,
    stop: Callable[[], bool] = never,
    peers: Peers = ALONE,
) -> Iterator[RunEvent]:
    """Train as `spec` says and leave the weights in `folder`, telling everything that a watcher may want to know.

    `device` is decided (`cpu`, `cuda:N`, `mps`); `cache` is where bundled tables are kept as arrays, and uploads lie in
    `datasets`. The same spec gives the same figures, bit for bit on the same hardware, versions and threads, however
    often it was interrupted: `save` says where checkpoints go and come from. Asked to `stop` (at every step), it takes
    a checkpoint and ends with Stopped. What the spec leaves to the run is found first, unless the `numbers` of an
    earlier attempt are given. Losses are in the unit trained in, metrics of numbers in the target's own. Of several
    processes that train one run each calls this with its `peers`; what the leader's tells counts.

    Raises Diverged (after the row of that epoch), InvalidData, InvalidSpec or StorageFull.
    """
    settle(threads=spec.resources.threads)
    gauge = Gauge(torch.device(device))
    supply = Supply(torch.device(device), cache=cache, datasets=datasets)
    spec, found, told = find_numbers(spec, supply, known=numbers, peers=peers)
    course = legs(spec, save.lineage)
    run, resumed, notices = begin(course, supply, save.candidates, peers)
    run.gauge = gauge
    yield _started(run, spec, resumed, found)
    yield from (*told, *notices)
    cadence = Cadence(run, folder=save.folder, stop=stop)
    try:
        for leg in course[run.position.stage :]:
            yield from enter(run, course[leg.number :], cadence, supply)
            while not leg.is_over(run):
                row = yield from train_epoch(run, cadence)
                best = run.watch.see(row)
                yield EpochDone(row, run.best is row)
                if not is_finite(row.train_loss, row.val_loss):
                    raise _diverged(run, row, leg)
                if best and restores_best(run.spec):
                    run.kept.keep(run.peers.weights(run.judged))
                run.schedule.step_epoch(row.train_loss if row.val_loss is None else row.val_loss)
                run.end_epoch(row)
                yield from cadence.after_epoch(row, over=leg.is_over(run))
    except StopAsked:
        yield Stopped()
        return
    run.spec = course[-1].data  # not that of its last phase alone
    taken = gauge.memory(run)  # before the best of several rounds takes the last one's place
    several = crown(run, course, supply)
    yield from _finish(run, several, taken, folder=folder)


def _started(run: Run, spec: JobSpec, resumed: Resumed | None, found: Mapping[str, float]) -> Started:
    return Started(
        device=str(run.device),
        parameters=sum(weight.numel() for weight in run.model.parameters()),
        steps_per_epoch=spec.steps_per_epoch,
        epochs=spec.epochs * len(spec.rounds),
        train_samples=spec.train_samples,
        val_samples=spec.val_samples,
        threads=spec.resources.threads,
        versions=versions_of(spec),
        resumed=resumed,
        test_samples=spec.test_samples,
        devices=run.peers.size,
        inexact=run.inexact,
        trainable=sum(weight.numel() for weight in trainable(run.model)),
        resolved=found or None,
    )


def _finish(run: Run, several: dict[str, Any] | None, taken: Memory, *, folder: Path) -> Iterator[RunEvent]:
    failpoint("finish.before_weights")
    if run.kept.weights:
        run.peers.put(run.judged, run.kept.weights)
    seen = Seen(run)
    held = run.peers.told(judge_kept(run, seen if run.peers.leads else unseen))
    test = None if run.data.test is None else held
    sharpness = run.peers.told((yield from sharpness_of(run)))
    folds, seeds = (several, None) if run.seed is None else (None, several)
    memory = run.gauge.risen(taken) if run.gauge else taken
    weights = run.kept.weights or run.peers.weights(run.judged)
    if not run.peers.leads:
        return
    told = {"test": test and wire.finite(test), "sharpness": sharpness and wire.finite(sharpness)}
    figures = {**told, "folds": folds, "seeds": seeds}
    artifacts: tuple[Artifact, ...] = save_weights(run, weights, folder=folder, figures=figures, memory=memory)
    artifacts += (yield from save_report(run, seen, held, folder=folder)) if held else ()
    failpoint("finish.after_weights")
    reason = run.watch.reason or Reason.COMPLETED if several is None else run.rounds.reason
    yield Finished(reason, artifacts, test, folds, memory, seeds, sharpness)


def _diverged(run: Run, row: EpochRow, leg: Leg) -> Diverged:
    spec = run.spec
    name, cost = ("train_loss", row.train_loss) if row.val_loss is None else ("val_loss", row.val_loss)
    hint = f"Try a lower lr, for example {spec.lr / 10:g} instead of {spec.lr:g}."
    if spec.data_shape.reconstructs:
        wants_scale = spec.preprocess.features == "none"
        hint += ' Large numbers also want preprocess.features "standard".' if wants_scale else ""
    elif spec.data_shape.task == "numbers" and spec.preprocess.target == "none":
        hint += ' A target of large numbers also wants preprocess.target "standard".'
    elif spec.precision == "fp16":
        hint += ' In precision "fp16" nothing may be larger than 65504; "bf16" has the range of float32.'
    elif spec.clip_grad_norm is None:
        hint += " clip_grad_norm, for example 1, also tames large steps."
    param = "/lr" if leg.phase is None else f"/phases/{leg.phase}/lr"
    return Diverged(f"{name} became {cost} in epoch {row.epoch} at lr {row.lr:g}.", hint=hint, param=param)
