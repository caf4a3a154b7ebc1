"""The loop: from random weights to trained ones, told as it happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from core.errors import Diverged
from core.events import EpochDone, Finished, RunEvent, Started
from core.job import EpochRow, Reason
from core.loop.epoch import train_epoch
from core.loop.preparation import settle
from core.loop.run import Run, assemble, is_finite
from core.loop.versions import VERSIONS
from core.loop.weights import save
from core.spec import JobSpec


def train(spec: JobSpec, *, folder: Path, device: str = "cpu", cache: Path | None = None) -> Iterator[RunEvent]:
    """Train as `spec` says and leave the weights in `folder`, telling everything that a watcher may want to know.

    `device` is decided (`cpu`, `cuda:N`, `mps`); `cache` is where bundled tables are kept as arrays. The same spec
    gives the same figures, bit for bit on the same hardware, versions and threads. Losses are in the unit trained in,
    metrics of numbers in the target's own. Raises Diverged (after the row of that epoch), InvalidData or InvalidSpec.
    """
    settle(threads=spec.resources.threads)
    run = assemble(spec, device=torch.device(device), cache=cache)
    yield _started(run)
    for epoch in range(1, spec.epochs + 1):
        row = yield from train_epoch(run, epoch)
        best = run.watch.see(row)
        yield EpochDone(row, best)
        if not is_finite(row.train_loss, row.val_loss):
            raise _diverged(run, row)
        if best and spec.early_stopping and spec.early_stopping.restore_best:
            run.keep()
        if run.watch.reason:
            break
        run.schedule.step_epoch(row.train_loss if row.val_loss is None else row.val_loss)
    yield Finished(run.watch.reason or Reason.COMPLETED, save(run, row, folder=folder))


def _started(run: Run) -> Started:
    spec = run.spec
    return Started(
        device=str(run.device),
        parameters=sum(weight.numel() for weight in run.model.parameters()),
        steps_per_epoch=spec.steps_per_epoch,
        epochs=spec.epochs,
        train_samples=spec.train_samples,
        val_samples=spec.val_samples,
        threads=spec.resources.threads,
        versions=VERSIONS,
    )


def _diverged(run: Run, row: EpochRow) -> Diverged:
    spec = run.spec
    name, cost = ("train_loss", row.train_loss) if row.val_loss is None else ("val_loss", row.val_loss)
    hint = f"Try a lower lr, for example {spec.lr / 10:g} instead of {spec.lr:g}."
    if spec.data_shape.task == "numbers" and spec.preprocess.target == "none":
        hint += ' A target of large numbers also wants preprocess.target "standard".'
    elif spec.clip_grad_norm is None:
        hint += " clip_grad_norm, for example 1, also tames large steps."
    return Diverged(f"{name} became {cost} in epoch {row.epoch} at lr {row.lr:g}.", hint=hint, param="/lr")
