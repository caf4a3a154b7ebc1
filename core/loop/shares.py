"""A batch that several processes train on together: the part of each one, and what that counts in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from core.loading.samples import Samples
from core.loop.run import Run


def find_gradients(run: Run, batch: Samples) -> Tensor:
    """Leave the gradients of the whole batch in the weights; gives the loss of `batch`, one's own part of it.

    Torch takes the mean over the processes, so each loss counts as it does in the whole, times the processes. Who has
    nothing that counts goes along with a sample that counts nothing: the others wait for its gradients. The losses of
    all parts, weighted by their samples, are that of the whole batch.
    """
    own, samples = run.count(batch), len(batch.y)
    whole = run.count_in_all(own)
    counts, told = own * run.peers.size / whole, own * run.batch_samples / (whole * samples) if samples else 0.0
    batch = batch if own else _stand_in(batch)
    pieces = _pieces(run, batch)
    losses = []
    for number, (piece, share) in enumerate(pieces, 1):
        with nullcontext() if number == len(pieces) else run.peers.unsummed(run.model):
            loss = run.loss(run.forward(piece.x), piece.y)
            run.precision.backward(loss * (share * counts))
        losses.append(loss.detach() * (share * told))
    return torch.stack(losses).sum() if len(losses) > 1 else losses[0]


def _pieces(run: Run, batch: Samples) -> list[tuple[Samples, float]]:
    """The batch in micro-batches, each with its share of it; as many in every process, for weights in pieces meet."""
    at_once = run.position.micro_batch
    if not at_once:
        return [(batch, 1.0)]
    whole = run.count(batch)
    pieces = [(piece, run.count(piece) / whole) for piece in batch.cut(at_once)]
    most = -(-run.peers.longest_part(run.batch_samples) // at_once)
    return [*((_stand_in(batch), 0.0) for _ in range(most - len(pieces))), *pieces]


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
