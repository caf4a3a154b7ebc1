"""How a run begins: from the newest checkpoint that is as it was written, else from its starting weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.checkpoint import Checkpoint
from core.events import Noticed, Resumed
from core.loop.assembly import assemble
from core.loop.checkpoints import Snapshot, Unusable, read, restore
from core.loop.coupling import coupling
from core.loop.course import Leg
from core.loop.fingerprint import difference, fingerprint
from core.loop.peers import ALONE, Peers
from core.loop.position import Position
from core.loop.preparation import settle
from core.loop.run import Run
from core.loop.supply import Supply

Beginning = tuple[Run, Resumed | None, list[Noticed]]
"""The run, where it goes on, what was wrong with the checkpoints that were tried before, and what it starts from."""


def begin(course: Sequence[Leg], supply: Supply, candidates: Sequence[Checkpoint], peers: Peers = ALONE) -> Beginning:
    """Assemble the run, at the newest of `candidates` that all of its processes can use or at its start."""
    told: list[Noticed] = []
    for candidate in candidates:
        try:
            return *_resumed(course, supply, candidate, peers), told
        except Unusable as why:
            told.append(_notice(candidate, str(why)))
    spec = course[0].spec
    settle(threads=spec.resources.threads)
    start = supply.start(spec)
    run = assemble(spec, supply.of(course[0].data), device=supply.device, start=start, peers=peers)
    run.inexact = coupling(run)
    return run, None, told if start is None else [*told, start.notice(run.model)]


def _resumed(course: Sequence[Leg], supply: Supply, candidate: Checkpoint, peers: Peers) -> tuple[Run, Resumed]:
    run, snapshot = _together(peers, lambda: _restored(course, supply, candidate, peers))
    at = snapshot.position
    run.inexact = snapshot.inexact or difference(snapshot.fingerprint, fingerprint(run)) or coupling(run)
    return run, Resumed(candidate.id, at.epoch, at.step, run.inexact, run.best)


def _restored(course: Sequence[Leg], supply: Supply, candidate: Checkpoint, peers: Peers) -> tuple[Run, Snapshot]:
    snapshot = read(candidate)
    at = snapshot.position
    leg = _leg(course, at, candidate)
    settle(threads=leg.spec.resources.threads)
    run = assemble(leg.spec, supply.of(leg.data), device=supply.device, schedule_since=at.schedule_since, peers=peers)
    restore(run, snapshot)
    return run, snapshot


def _together(peers: Peers, restored: Callable[[], tuple[Run, Snapshot]]) -> tuple[Run, Snapshot]:
    """What every process of the run could restore; where one of them could not, none goes on from there."""
    why = "another process of the run could not use it"
    found: tuple[Run, Snapshot] | None = None
    try:
        found = restored()
    except Unusable as error:
        why = str(error)
    if not peers.all(found is not None) or found is None:
        raise Unusable(why)
    return found


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
