"""The stages of a run: a forked job first repeats its parents' epochs, and each round of a job begins anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.checkpoint import Occasion
from core.events import Noticed, RunEvent
from core.loop import augment
from core.loop.assembly import (
    make_average,
    make_feed,
    make_groups,
    make_loss,
    make_metrics,
    make_model,
    make_optimizer,
    make_precision,
    make_schedule,
    make_watch,
    restores_best,
)
from core.loop.cadence import Cadence
from core.loop.compiling import set_compiled
from core.loop.course import Leg
from core.loop.groups import freeze
from core.loop.pace import Pace
from core.loop.preparation import settle
from core.loop.randomness import part_ways, seed_all, undisturbed
from core.loop.run import Kept, Run, at_once
from core.loop.stopping import Leaders
from core.loop.supply import Supply
from core.loop.turning import begin_anew
from core.spec import JobSpec

_NO_TRAINING = {
    "name", "labels", "sharpness", "priority", "resources", "checkpoints", "deadline_s", "stall_timeout_s",
    "on_out_of_memory",
}  # fmt: skip
"""What a patch may change without changing what is learned."""


def enter(run: Run, course: Sequence[Leg], cadence: Cadence, supply: Supply) -> Iterator[RunEvent]:
    """Begin the first of `course`, or go on with it: a run that comes from the stage before is turned over to it."""
    leg = course[0]
    is_new = run.position.stage < leg.number or (run.position.epoch, run.position.step) == (0, 0)
    if run.position.stage < leg.number and leg.anew:
        begin_anew(run, leg, supply)
    elif run.position.stage < leg.number:
        yield from _go_over(run, leg)
        yield from cadence.take(Occasion.EPOCH)
    if is_new and leg.begins(run):
        yield _phase_begins(run, leg)
    run.seed = leg.seed
    at, steps = run.position, leg.spec.steps_per_epoch
    epochs = at.began + sum(one.until for one in course if one.is_last)
    run.pace = Pace(epochs, steps, done=at.epoch * steps + at.step)
    if not leg.is_over(run):
        yield from cadence.look_if_due()


def _go_over(run: Run, leg: Leg) -> Iterator[Noticed]:
    """Turn over to the spec of `leg`; where a phase begins, patience is counted anew, and one notice tells all."""
    notices = list(turn_over(run, leg.spec))
    if leg.begins(run):
        run.watch.wait_anew()
    else:
        yield from notices


def _phase_begins(run: Run, leg: Leg) -> Noticed:
    spec, place, of = leg.spec, (leg.phase or 0) + 1, len(leg.data.phases or ())
    epochs, began = spec.epochs - leg.since, run.position.epoch
    return Noticed(
        "phase_begins",
        f"Phase {place} of {of} begins behind epoch {began}: {spec.optimizer.name} at lr {spec.lr:g}, "
        f"{spec.scheduler.name}, over {epochs} epochs.",
        {
            "phase": place,
            "phases": of,
            "epoch": began,
            "epochs": epochs,
            "optimizer": spec.optimizer.name,
            "lr": spec.lr,
            "scheduler": spec.scheduler.name,
        },
    )


def turn_over(run: Run, spec: JobSpec) -> Iterator[Noticed]:
    """Let `spec` take over behind an epoch: what it leaves as it was goes on, the rest begins anew and is told."""
    old, run.spec = run.spec, spec
    run.position.stage += 1
    settle(threads=spec.resources.threads)
    if spec.model != old.model:
        _rebuild_model(run)
    freeze(run.model, spec.freeze, were=old.freeze)
    yield from _turn_optimizer(run, old)
    yield from _turn_schedule(run, old)
    _turn_engine(run, old)
    _turn_watch(run, old)
    _turn_rest(run, old)
    if spec.seed != old.seed:
        seed_all(spec.seed)
        part_ways(spec.seed, run.peers.rank)


def _rebuild_model(run: Run) -> None:
    """The model of the new spec around the very same weights, so that optimizer and schedule keep hold of them."""
    with undisturbed(run.device):
        model = make_model(run.spec)
    run.peers.take_over(run.model, model, run.optimizer)
    run.model = model


def _turn_optimizer(run: Run, old: JobSpec) -> Iterator[Noticed]:
    now, is_same = run.spec.optimizer, run.spec.optimizer == old.optimizer
    if is_same and run.spec.freeze == old.freeze:
        if run.spec.param_groups != old.param_groups:
            make_groups(run.spec, run.optimizer, run.model)
        return
    why = "that of another one, or under other settings, would mean something else"
    if is_same:
        why = "other parameters train now"
    run.optimizer = make_optimizer(run.spec, run.model)
    yield Noticed(
        "optimizer_fresh",
        f"The optimizer {now.name} starts with fresh state behind epoch {run.position.epoch}: {why}.",
        {"epoch": run.position.epoch, "optimizer": now.name, "was": old.optimizer.name},
    )


def _turn_schedule(run: Run, old: JobSpec) -> Iterator[Noticed]:
    spec, epoch = run.spec, run.position.epoch - run.position.began
    changed = [name for name, value in _rhythm(spec).items() if value != _rhythm(old)[name]]
    if not changed:
        return
    for group in run.optimizer.param_groups:
        group["lr"] = spec.lr * group.get("lr_scale", 1.0)
        group.pop("initial_lr", None)  # a schedule of torch would begin at the old one's
    run.position.schedule_since = epoch
    run.schedule = make_schedule(spec, run.optimizer, since=epoch)
    yield Noticed(
        "schedule_fresh",
        f"The schedule {spec.scheduler.name} starts anew at lr {spec.lr:g} behind epoch {epoch}, over the "
        f"{spec.epochs - epoch} epochs that remain, because {' and '.join(changed)} changed.",
        {"epoch": epoch, "lr": spec.lr, "epochs": spec.epochs - epoch, "changed": changed},
    )


def _rhythm(spec: JobSpec) -> dict[str, Any]:
    """What a schedule is made of."""
    return {
        "lr": spec.lr,
        "scheduler": spec.scheduler,
        "optimizer": spec.optimizer,
        "param_groups": spec.param_groups,
        "freeze": spec.freeze,
        "epochs": spec.epochs,
        "batch_size": spec.batch_size,
        "drop_last": spec.loader.drop_last,
    }


def _turn_engine(run: Run, old: JobSpec) -> None:
    """Other numbers are scaled anew; an average goes on, under another decay too, and a new one begins here."""
    spec = run.spec
    if spec.precision != old.precision:
        run.precision = make_precision(spec, run.device)
    if (spec.ema, spec.model) != (old.ema, old.model):
        before, run.average = run.average, make_average(spec, run.model)
        if before.model is not None:
            run.average.load_state_dict(before.state_dict())
    if (spec.compile, spec.model) != (old.compile, old.model):
        set_compiled(run.model, wanted=spec.compile)


def _turn_watch(run: Run, old: JobSpec) -> None:
    """The same figure is watched on; weights that were not kept cannot be restored, so then the best begins anew."""
    spec, before = run.spec, run.watch
    run.watch = make_watch(spec)
    if run.watch.monitor == before.monitor and (restores_best(old) or not restores_best(spec)):
        run.watch.load_state_dict(before.state_dict())
    else:
        run.kept = Kept()
    if not restores_best(spec):
        run.kept = Kept()
    if run.watch.reason and spec.model_dump(exclude=_NO_TRAINING) != old.model_dump(exclude=_NO_TRAINING):
        run.watch.wait_anew()  # whoever forks a run that stood still wants to see the change at work


def _turn_rest(run: Run, old: JobSpec) -> None:
    spec, wishes = run.spec, run.spec.checkpoints
    run.loss, run.metrics = make_loss(spec, run.data), make_metrics(spec)
    run.augment = augment.make(spec, run.data, run.device)
    leaders, run.leaders = run.leaders, Leaders(wishes.monitor, wishes.keep_best)
    run.leaders.load_state_dict(leaders.state_dict())
    if (spec.batch_size, spec.loader, spec.augment) != (old.batch_size, old.loader, old.augment):
        run.feed = make_feed(spec, run.data, run.device, at_once=at_once(spec, run.peers, run.augment))
    if _pieces(spec) != _pieces(old) or spec.on_out_of_memory == "fail":
        run.position.micro_batch = spec.micro_batch_size


def _pieces(spec: JobSpec) -> tuple[int, int | None]:
    """What the batches and their pieces are made of."""
    return spec.batch_size, spec.micro_batch_size
