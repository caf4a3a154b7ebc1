"""One optimizer step: clear the gradients, forward, loss, backward, tame the gradients, step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from core.loading.samples import Samples
from core.loop import shares
from core.loop.run import Run

Gradients = Callable[[Run, Samples], Tensor]
"""Leaves the gradients of a batch in the weights and gives its mean loss."""


def find_gradients(run: Run, batch: Samples) -> Tensor:
    """Clear the gradients, forward, loss, backward; as many samples at a time as the run's micro-batch has."""
    run.optimizer.zero_grad()
    if run.peers.size > 1:
        return shares.find_gradients(run, batch)
    if run.position.micro_batch:
        return _added_up(run, batch, batch.cut(run.position.micro_batch))
    loss = run.loss(run.forward(batch.x), batch.y)
    run.precision.backward(loss)
    return loss


def tame_gradients(run: Run) -> None:
    """Cut each gradient by value, and then all of them together by their norm, as far as the spec wants it."""
    if not (run.spec.clip_grad_value or run.spec.clip_grad_norm):
        return
    run.precision.unscale(run.optimizer)
    if run.spec.clip_grad_value:
        clip_grad_value_(run.model.parameters(), run.spec.clip_grad_value)
    if run.spec.clip_grad_norm:
        clip_grad_norm_(run.model.parameters(), run.spec.clip_grad_norm)


def take_step(run: Run, batch: Samples, *, gradients: Gradients = find_gradients) -> Tensor:
    """Move the weights by one batch: its mean loss before the step, left on the device.

    A step that the precision skips moves neither the schedule nor the average: both count the steps that were taken.
    """

    def cost() -> Tensor:
        loss = gradients(run, batch)
        tame_gradients(run)
        return loss

    loss, moved = run.precision.step(run.optimizer, cost)
    if moved:
        run.schedule.step_batch()
        run.average.see(run.model)
    return loss.detach()


def _added_up(run: Run, batch: Samples, pieces: list[Samples]) -> Tensor:
    """The batch's gradients from pieces of it, each weighted by what it counts, as if they had come at once."""
    whole, losses = run.count(batch), []
    for piece in pieces:
        share = run.loss(run.forward(piece.x), piece.y) * (run.count(piece) / whole)
        run.precision.backward(share)
        losses.append(share.detach())
    return torch.stack(losses).sum()
