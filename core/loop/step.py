"""One optimizer step: clear the gradients, forward, loss, backward, step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from core.loading.samples import Samples
from core.loop.run import Run

Cost = Callable[[Run, Samples], Tensor]
"""Leaves the gradients of a batch in the weights and gives its mean loss."""


def cost(run: Run, batch: Samples) -> Tensor:
    """Clear the gradients, forward, loss, backward."""
    run.optimizer.zero_grad()
    if run.position.micro_batch:
        loss = _added_up(run, batch.cut(run.position.micro_batch), samples=len(batch.y))
    else:
        loss = run.loss(run.model(batch.x), batch.y)
        loss.backward()  # type: ignore[no-untyped-call]
    if run.spec.clip_grad_norm:
        clip_grad_norm_(run.model.parameters(), run.spec.clip_grad_norm)
    return loss


def take_step(run: Run, batch: Samples, *, cost: Cost = cost) -> Tensor:
    """Move the weights by one batch: its mean loss before the step, left on the device."""
    # A function, because lbfgs asks for the cost several times a step; the others ask once.
    loss: Tensor = run.optimizer.step(lambda: cost(run, batch))  # type: ignore[arg-type, assignment, return-value]
    run.schedule.step_batch()
    return loss.detach()


def _added_up(run: Run, pieces: list[Samples], *, samples: int) -> Tensor:
    """The batch's gradients from pieces of it, each weighted by its samples, as if they had come at once."""
    shares = []
    for piece in pieces:
        share = run.loss(run.model(piece.x), piece.y) * (len(piece.y) / samples)
        share.backward()  # type: ignore[no-untyped-call]
        shares.append(share.detach())
    return torch.stack(shares).sum()
