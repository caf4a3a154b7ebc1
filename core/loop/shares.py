"""A batch that several processes train on together: the part of each one, and what that counts in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from core.loading.samples import Samples
from core.loop.run import Run


def find_gradients(run: Run, batch: Samples) -> Tensor:
    """Leave the gradients of the whole batch in the weights; gives the mean loss of `batch`, one's own part of it.

    Torch takes the mean over the processes, so each loss counts as its samples do in the whole, times the processes.
    Who has no sample goes along with one that counts nothing: the others wait for its gradients.
    """
    counts = len(batch.y) * run.peers.size / run.batch_samples
    batch = batch if len(batch.y) else _stand_in(batch)
    pieces = batch.cut(run.position.micro_batch or len(batch.y))
    losses = []
    for number, piece in enumerate(pieces, 1):
        share = len(piece.y) / len(batch.y)
        with nullcontext() if number == len(pieces) else run.peers.unsummed(run.model):
            loss = run.loss(run.forward(piece.x), piece.y)
            run.precision.backward(loss * (share * counts))
        losses.append(loss.detach() * share)
    return torch.stack(losses).sum() if len(losses) > 1 else losses[0]


def batches(run: Run) -> Iterator[Samples]:
    """This process's part of each batch that the running epoch has left; an empty one where a batch has none for it.

    Where samples of a batch are mixed with each other, every process makes the whole batch and takes its part of that.
    """
    made = iter(run.batches())
    for _ in range(run.position.step, run.spec.steps_per_epoch):
        batch = next(made, None)
        if batch is None:
            yield _nothing(run)
        elif run.makes_whole_batches:
            own = run.peers.part(len(batch.y))
            yield Samples(batch.x[own], batch.y[own])
        else:
            yield batch


def _nothing(run: Run) -> Samples:
    sample = next(run.feed(torch.zeros(1, dtype=torch.int64)))
    return Samples(sample.x[:0], sample.y[:0])


def _stand_in(batch: Samples) -> Samples:
    """A sample of ones, which any model and loss can take: a number, a class, a token that is no padding."""
    return Samples(*(part.new_ones((1, *part.shape[1:])) for part in batch))
