"""One pass over the training data, five steps a batch, and then a look at the data held back."""

from __future__ import annotations

from collections.abc import Generator

from core.events import RunEvent
from core.job import EpochRow
from core.loop.cadence import Cadence
from core.loop.evaluate import evaluate
from core.loop.gathering import counted_by_all
from core.loop.groups import start_training
from core.loop.memory import take_what_fits
from core.loop.run import Run, is_finite
from core.loop.shares import batches
from core.loop.step import take_step


def train_epoch(run: Run, cadence: Cadence) -> Generator[RunEvent, None, EpochRow]:
    """Train to the end of the running epoch, telling at most twice a second how far it is; returns its figures.

    An epoch that was interrupted goes on with its next batch. `train_loss` is the running mean over the epoch, weighted
    by samples. Once the cost is NaN or infinite the epoch ends early and nothing is evaluated: the row then holds that
    cost and neither `val_loss` nor metrics. Raises StopAsked when the run was asked to stop.
    """
    tally, at, epoch = run.tally, run.position, run.position.epoch + 1
    spares_memory = run.spec.on_out_of_memory == "accumulate"
    tally.start(lr=run.lr)
    if run.spec.freeze:
        start_training(run.model)
    else:
        run.model.train()
    for batch in tally.timed(run.batches() if run.peers.size == 1 else batches(run)):
        loss = (yield from take_what_fits(run, batch, cadence)) if spares_memory else take_step(run, batch)
        tally.add(loss, len(batch.y))
        at.step += 1
        telling, saving = run.peers.agree(run.pace.due(), cadence.due())
        if (telling or saving) and not run.peers.all(tally.is_finite()):
            break
        if telling:
            yield from run.gauge.news(run) if run.gauge else ()
            yield run.pace.reading(epoch, at.step)
        if saving:
            yield from cadence.look()
    tally = counted_by_all(tally, run.peers)
    train_loss, seconds = tally.mean(), tally.seconds
    val_loss, metrics = evaluate(run) if is_finite(train_loss) else (None, {})
    speed = tally.samples / seconds
    row = EpochRow(
        epoch,
        train_loss,
        val_loss,
        metrics,
        tally.lr or 0.0,
        seconds,
        speed,
        data_wait_s=tally.waited_s,
        fold=run.spec.split.fold,
        seed=run.seed,
    )
    return run.peers.told(row)
