"""The course of a run: its stages in their order, from those of the jobs it comes from to its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

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
    phase: int | None = None
    """The place of the phase that it is of, or a part of, where there are several."""
    since: int = 0
    """The epoch behind which that phase begins."""
    anew: bool = False
    is_last: bool = False
    """Whether its round ends with it, by early stopping too; that ends no earlier stage."""

    def is_over(self, run: Run) -> bool:
        """Whether `run` is at the end of this stage."""
        return run.position.running > self.until or (self.is_last and run.watch.reason is not None)

    def begins(self, run: Run) -> bool:
        """Whether `run` stands where the phase of this stage begins, to train by it."""
        at = run.position
        return self.phase is not None and (at.running, at.step) == (self.since + 1, 0) and not self.is_over(run)


def legs(spec: JobSpec, lineage: Sequence[Stage]) -> tuple[Leg, ...]:
    """The stages of a job with `spec`: those that it comes from, then its own, one for each phase of each round.

    A fork goes through the phases of its parents, into that which begins where the fork does: a checkpoint may have
    been taken there. So the number of a stage is the same in both.
    """
    numbers = count()
    since = lineage[-1].until if lineage else 0
    return (*_earlier(spec, lineage, numbers), *_own(spec, numbers, since=since))


def _earlier(spec: JobSpec, lineage: Sequence[Stage], numbers: Iterator[int]) -> Iterator[Leg]:
    since = 0
    for one in lineage:
        for phase in _phases(JobSpec.model_validate(dict(one.spec)), since):
            if phase.begin <= one.until:
                until = min(phase.turn.epochs, one.until)
                yield Leg(next(numbers), phase.turn, until, spec, phase=phase.place, since=phase.begin)
        since = one.until


def _own(spec: JobSpec, numbers: Iterator[int], *, since: int) -> Iterator[Leg]:
    rounds = spec.rounds
    for place, one in enumerate(rounds):
        seed = one.seed if spec.seeds > 1 else None
        for phase in _phases(one, since):
            yield Leg(
                next(numbers),
                phase.turn,
                phase.turn.epochs,
                one,
                round=place,
                seed=seed,
                phase=phase.place,
                since=phase.begin,
                anew=len(rounds) > 1 and not phase.begin,
                is_last=phase.turn.epochs == one.epochs,
            )


class _Phase(NamedTuple):
    """A phase that is left of a spec: its place among several, the epoch behind which it begins, what trains in it."""

    place: int | None
    begin: int
    turn: JobSpec


def _phases(spec: JobSpec, since: int) -> Iterator[_Phase]:
    """The phases of `spec` that end behind the epoch `since`."""
    begin = 0
    for place, turn in enumerate(spec.turns):
        if turn.epochs > since:
            yield _Phase(None if spec.phases is None else place, begin, turn)
        begin = turn.epochs
