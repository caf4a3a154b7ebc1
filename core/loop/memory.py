"""Steps that go on where the memory does not suffice for a whole batch: in smaller pieces, with the same gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator

import torch
from torch import Tensor

from core.checkpoint import Occasion
from core.errors import sentence
from core.events import Noticed, RunEvent
from core.loading.samples import Samples
from core.loop.cadence import Cadence
from core.loop.failures import is_out_of_memory
from core.loop.randomness import Randomness
from core.loop.run import Run
from core.loop.step import find_gradients, take_step
from core.registry import optimizers


class DoesNotFit(Exception):
    """There was no memory for the gradients of a batch; the message is the allocator's."""


def take_what_fits(run: Run, batch: Samples, cadence: Cadence) -> Generator[RunEvent, None, Tensor]:
    """Take a step; while there is no memory for it, halve the samples that go through the model at a time.

    The gradients of the pieces add up, weighted by samples, to those of the batch. Before each new try the run stands
    where it stood before the step, and a checkpoint remembers the size. Raises the allocator's error at one sample.
    """
    back = _way_back(run)
    while True:
        try:
            return take_step(run, batch, gradients=_fitting)
        except DoesNotFit as error:
            told = str(error)
        # outside of the except clause, where nothing holds the step's tensors any more
        back()
        if run.device.type == "cuda":
            torch.cuda.empty_cache()
        notice = _halved(run, _at_a_time(run, batch), told=told)
        yield from cadence.take(Occasion.MEMORY, again=True)
        yield notice


def _fitting(run: Run, batch: Samples) -> Tensor:
    """The gradients; only here the memory may run out, for afterwards the optimizer moves the weights."""
    try:
        return find_gradients(run, batch)
    except (MemoryError, RuntimeError) as error:
        if _at_a_time(run, batch) == 1 or not is_out_of_memory(error):
            raise
        raise DoesNotFit(sentence(error)) from error


def _at_a_time(run: Run, batch: Samples) -> int:
    """How many samples went through the model at once."""
    return min(run.position.micro_batch or len(batch.y), len(batch.y))


def _halved(run: Run, before: int, *, told: str) -> Noticed:
    run.position.micro_batch = micro_batch = (before + 1) // 2
    facts = {"micro_batch": micro_batch, "batch_size": run.spec.batch_size, "epoch": run.position.epoch + 1}
    return Noticed(
        "micro_batch",
        f"The memory did not suffice for {before} samples at a time ({told}). The run goes on with {micro_batch}, "
        f"whose gradients add up to those of a batch of {run.spec.batch_size}.",
        facts,
    )


def _way_back(run: Run) -> Callable[[], None]:
    """What puts the run where it stands now, as far as an unfinished step can have moved it."""
    generators = Randomness(run.device)
    drawn = generators.state_dict()
    buffers = [(buffer, buffer.detach().clone()) for buffer in run.model.buffers()]
    weights = _moved_while_asking(run)

    def back() -> None:
        generators.load_state_dict(drawn)
        with torch.no_grad():
            for tensor, before in buffers:
                tensor.copy_(before)
        weights()

    return back


def _moved_while_asking(run: Run) -> Callable[[], None]:
    """The same for the weights and the optimizer, which only one that asks for the cost several times has moved."""
    if not optimizers.get(run.spec.optimizer.name).facts.get("asks_again"):
        return lambda: None
    state = copy.deepcopy(run.optimizer.state_dict())
    weights = copy.deepcopy(run.model.state_dict())

    def back() -> None:
        run.model.load_state_dict(weights)
        run.optimizer.load_state_dict(state)

    return back
