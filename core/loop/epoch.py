"""One pass over the training data, five steps a batch, and then a look at the data held back."""

from __future__ import annotations

import time
from collections.abc import Generator

from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from core.job import EpochRow, Progress
from core.loop.evaluate import evaluate
from core.loop.run import Run, is_finite
from core.loop.samples import Samples
from core.loop.tally import Tally


def train_epoch(run: Run, epoch: int) -> Generator[Progress, None, EpochRow]:
    """Train for one epoch, telling at most twice a second how far it is; returns the epoch's figures.

    `train_loss` is the running mean over the epoch, weighted by samples. Once the cost is NaN or infinite the epoch
    ends early and nothing is evaluated: the row then holds that cost and neither `val_loss` nor metrics.
    """
    tally, lr, started = Tally(), run.lr, time.perf_counter()
    run.model.train()
    for step, batch in enumerate(tally.timed(run.batches(epoch)), start=1):
        tally.add(take_step(run, batch), len(batch.y))
        if run.pace.due():
            if not tally.is_finite():
                break
            yield run.pace.reading(epoch, step)
    train_loss = tally.mean()
    seconds = time.perf_counter() - started
    val_loss, metrics = evaluate(run) if is_finite(train_loss) else (None, {})
    speed = tally.samples / seconds
    return EpochRow(epoch, train_loss, val_loss, metrics, lr, seconds, speed, data_wait_s=tally.waited_s)


def take_step(run: Run, batch: Samples) -> Tensor:
    """Clear the gradients, forward, loss, backward, step: the batch's mean loss before the step, left on the device."""

    def cost() -> Tensor:
        run.optimizer.zero_grad()
        prediction = run.model(batch.x)
        loss = run.loss(prediction, batch.y)
        loss.backward()  # type: ignore[no-untyped-call]
        if run.spec.clip_grad_norm:
            clip_grad_norm_(run.model.parameters(), run.spec.clip_grad_norm)
        return loss

    # A function, because lbfgs asks for the cost several times a step; the others ask once.
    loss: Tensor = run.optimizer.step(cost)  # type: ignore[assignment, arg-type]
    run.schedule.step_batch()
    return loss.detach()
