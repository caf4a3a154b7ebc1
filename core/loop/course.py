"""The course of a run: its stages in their order, from those of the jobs it comes from to its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from core.checkpoint import Stage
from core.loop.run import Run
from core.spec import JobSpec


@dataclass(frozen=True)
class Leg:
    """One stage of a run: it trains by `spec` up to the end of epoch `until`, counted within its round.

    Its data is that of the spec `data`. A stage begins with the weights of the one before, or `anew`.
    """

    number: int
    spec: JobSpec
    until: int
    data: JobSpec
    round: int = 0
    """The place of the training that it belongs to, among all that the job is made of."""
    seed: int | None = None
    """Its seed, where the job has several."""
    anew: bool = False
    is_last: bool = False
    """Whether its round ends with it, by early stopping too; that ends no earlier stage."""

    def is_over(self, run: Run) -> bool:
        """Whether `run` is at the end of this stage."""
        return run.position.running > self.until or (self.is_last and run.watch.reason is not None)


def legs(spec: JobSpec, lineage: Sequence[Stage]) -> tuple[Leg, ...]:
    """The stages of a job with `spec`: those that it comes from, then its own, one for each round."""
    numbers = count()
    return (*_earlier(spec, lineage, numbers), *_own(spec, numbers))


def _earlier(spec: JobSpec, lineage: Sequence[Stage], numbers: Iterator[int]) -> Iterator[Leg]:
    for one in lineage:
        yield Leg(next(numbers), JobSpec.model_validate(dict(one.spec)), one.until, spec)


def _own(spec: JobSpec, numbers: Iterator[int]) -> Iterator[Leg]:
    rounds = spec.rounds
    for place, one in enumerate(rounds):
        seed = one.seed if spec.seeds > 1 else None
        yield Leg(next(numbers), one, one.epochs, one, place, seed, anew=len(rounds) > 1, is_last=True)
