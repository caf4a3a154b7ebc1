"""From one round of a run to the next, which begins anew, and from the last to the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.loop.assembly import assemble, make_loss, make_model, restores_best
from core.loop.averaging import Average
from core.loop.course import Leg
from core.loop.position import Position
from core.loop.rounds import Ended
from core.loop.run import Kept, Run
from core.loop.supply import Supply


def begin_anew(run: Run, leg: Leg, supply: Supply) -> None:
    """End the round of `run` and begin that of `leg` as a run of its own: only what the job counts goes on.

    Raises InvalidData, and InvalidSpec for starting weights that do not fit.
    """
    close(run)
    at = run.position
    del run.data, run.feed, run.augment  # the data of two rounds need not fit into memory together
    data, start = supply.of(leg.data), supply.start(leg.spec)
    fresh = assemble(leg.spec, data, device=run.device, start=start, peers=run.peers)
    fresh.leaders, fresh.rounds, fresh.chosen, fresh.inexact = run.leaders, run.rounds, run.chosen, run.inexact
    fresh.gauge = run.gauge
    micro_batch = fresh.position.micro_batch
    fresh.position = Position(leg.number, at.epoch, began=at.epoch, micro_batch=micro_batch, last=at.last)
    vars(run).update(vars(fresh))


def close(run: Run) -> None:
    """Note what the round came to, and keep its weights if they are the best so far."""
    last, best = run.position.last, run.watch.best
    if last is None:
        raise RuntimeError("a round has at least one epoch")
    kept = best if best is not None and run.kept.weights else last
    run.rounds.ended.append(Ended(kept, best, last, run.watch.reason))
    if run.rounds.chosen(run.watch) == len(run.rounds.ended) - 1:
        if run.kept.weights:
            run.chosen = run.kept
        else:
            run.chosen.keep(run.peers.weights(run.judged))


def crown(run: Run, course: Sequence[Leg], supply: Supply) -> dict[str, Any] | None:
    """End the last round and leave `run` as its best round left it; the figures of all rounds, None of a single one.

    The best round is told by the monitored figure of the epoch whose weights it keeps.
    """
    if not course[-1].round:
        return None
    close(run)
    place = run.rounds.chosen(run.watch)
    leg, ended = _last_of(course, place), run.rounds.ended[place]
    run.seed = leg.seed
    if leg.number != run.position.stage:
        run.spec, run.data = leg.data, supply.of(leg.data)
        run.model, run.loss = make_model(leg.spec).to(run.device), make_loss(leg.spec, run.data)
    run.average = Average()  # what was kept is averaged already
    run.peers.put(run.model, run.chosen.weights)
    run.kept = run.chosen if ended.best is not None and restores_best(leg.spec) else Kept()
    run.watch.best, run.position.last = ended.best, ended.last
    return run.rounds.summary()


def _last_of(course: Sequence[Leg], place: int) -> Leg:
    """The last stage of the round at this place."""
    return next(leg for leg in course if leg.round == place and leg.is_last)
