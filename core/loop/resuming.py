"""How a run begins: from the newest checkpoint that is as it was written, else from its starting weights."""

from __future__ import annotations

from collections.abc import Sequence

from core.checkpoint import Checkpoint
from core.events import Noticed, Resumed
from core.loop.assembly import assemble
from core.loop.checkpoints import Unusable, read, restore
from core.loop.course import Leg
from core.loop.fingerprint import difference, fingerprint
from core.loop.position import Position
from core.loop.preparation import settle
from core.loop.run import Run
from core.loop.supply import Supply

Beginning = tuple[Run, Resumed | None, list[Noticed]]
"""The run, where it goes on, what was wrong with the checkpoints that were tried before, and what it starts from."""


def begin(course: Sequence[Leg], supply: Supply, candidates: Sequence[Checkpoint]) -> Beginning:
    """Assemble the run, at the newest of `candidates` that can be used or at its start."""
    told: list[Noticed] = []
    for candidate in candidates:
        try:
            return *_resumed(course, supply, candidate), told
        except Unusable as why:
            told.append(_notice(candidate, str(why)))
    spec = course[0].spec
    settle(threads=spec.resources.threads)
    start = supply.start(spec)
    run = assemble(spec, supply.of(course[0].data), device=supply.device, start=start)
    return run, None, told if start is None else [*told, start.notice(run.model)]


def _resumed(course: Sequence[Leg], supply: Supply, candidate: Checkpoint) -> tuple[Run, Resumed]:
    snapshot = read(candidate)
    at = snapshot.position
    leg = _leg(course, at, candidate)
    settle(threads=leg.spec.resources.threads)
    run = assemble(leg.spec, supply.of(leg.data), device=supply.device, schedule_since=at.schedule_since)
    restore(run, snapshot)
    run.inexact = snapshot.inexact or difference(snapshot.fingerprint, fingerprint(run))
    return run, Resumed(candidate.id, at.epoch, at.step, run.inexact, run.best)


def _leg(course: Sequence[Leg], at: Position, candidate: Checkpoint) -> Leg:
    """The stage in which the checkpoint was taken; raises Unusable when this job has no such place."""
    place = f"stage {at.stage}, epoch {at.epoch}, step {at.step}"
    if (at.epoch, at.step) != (candidate.epoch, candidate.step):
        raise Unusable(f"it stands at {place}, which is not where it is said to")
    if at.stage >= len(course) or (at.epoch - at.began, at.step) > (course[at.stage].until, 0):
        raise Unusable(f"it stands at {place}, where this job never comes")
    return course[at.stage]


def _notice(candidate: Checkpoint, why: str) -> Noticed:
    return Noticed(
        "checkpoint_unusable",
        f"The checkpoint behind epoch {candidate.epoch} and step {candidate.step} cannot be used: {why}. "
        "The run goes on from the one before it.",
        {"checkpoint": candidate.id, "epoch": candidate.epoch, "step": candidate.step, "why": why},
    )
