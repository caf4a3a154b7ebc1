"""One job from its claim to its end: what both doors of the service lead to."""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core import artifacts, housekeeping, keeping
from core.errors import ClaimLost, TrainwireError
from core.events import Checkpointed, Failed, Finished, RunEvent, Stopped
from core.failpoints import failpoint
from core.job import Claim, Status, Worker
from core.room import devices_of, nodes_of
from core.supervision.bench import Bench, Child, Order, Seat
from core.supervision.delivery import Delivery, GivenUp, Outage
from core.supervision.endings import LAST_WORDS, Back, Exit, broken, ending
from core.supervision.limits import stop_as_asked
from core.supervision.runs import Run

log = logging.getLogger(__name__)
_SHUTDOWN_S = 0.5
"""A shutdown that signals every process reaches the child before its supervisor drains: not the child's failure."""


def work_one(bench: Bench, worker: Worker, seat: Seat) -> bool:
    """Claim the best job for `worker` and see it to its end; False when there was none.

    It runs in `seat`, and on the device of that where its spec leaves the choice.
    """
    claim = seat.claim(lambda room: bench.store.claim(worker, room=room))
    if claim is None:
        return False
    run = Run(claim, slots=seat.slots)
    bench.runs.add(run)
    try:
        bench.bell.ring(claim.job_id)
        _see_to_its_end(bench, run, devices=seat.devices)
    finally:
        with suppress(TrainwireError, OSError):  # the next attempt, or who sweeps, removes what this one left
            housekeeping.tidy(bench.store, bench.root, claim.job_id)
        bench.runs.remove(run)
        bench.bell.ring(claim.job_id)
    return True


def chosen(wanted: str, own: str) -> str:
    """The device to train on: the slot's own, unless the spec names another one."""
    return own if wanted in ("auto", own, own.partition(":")[0]) else wanted


def together(claim: Claim, own: Sequence[str]) -> tuple[str, ...]:
    """The devices that train the job together, of its slots' `own`; none where it is one that trains it alone."""
    if devices_of(claim.spec) == nodes_of(claim.spec) == 1:
        return ()
    own = own[: devices_of(claim.spec)]
    gpus = claim.device != "cpu" and all(name.startswith("cuda:") for name in own)
    return tuple(own) if gpus else ("cpu",) * devices_of(claim.spec)


def _see_to_its_end(bench: Bench, run: Run, *, devices: Sequence[str]) -> None:
    outage = Outage(run, limit_s=bench.settings.outage_limit_s, grace_s=bench.settings.grace_s)
    end: Failed | Back | None
    try:
        end = _train(bench, run, outage, devices=devices)
    except (ClaimLost, GivenUp):
        return  # the lease is another's, or runs out by itself
    except Exception as error:  # the supervisor's edge: whatever went wrong, the job must not stay "running"
        log.exception("The run of %s broke", run.claim.job_id)
        end = broken(run, error)
    if end is not None:
        with suppress(ClaimLost, GivenUp):
            outage.outlast(lambda: _store_end(bench, run, end))


def _train(bench: Bench, run: Run, outage: Outage, *, devices: Sequence[str]) -> Failed | Back | None:
    """None once nothing is left to store, else what became of the process that should have ended the job."""
    settings = bench.settings
    folder = artifacts.attempt_folder(bench.root, run.claim)
    child = bench.launcher.launch(_order(bench, run.claim, folder, devices=devices))
    with Delivery(
        run,
        outage,
        folder=folder,
        record=lambda events: bench.store.record(run.claim, events),
        recorded=lambda events, status: _recorded(bench, run, events, status),
    ) as delivery:
        exit_ = Exit(None)
        try:
            run.attach(child)
            last = _follow(run, child, delivery)
        finally:
            exit_ = child.close()
    if delivery.is_over():
        return None
    said_stopped = isinstance(last, Stopped)
    if said_stopped or exit_.code == -signal.SIGTERM:
        run.wait_stopped(_SHUTDOWN_S)
    return ending(run, exit_, lease_s=settings.lease_s, said_stopped=said_stopped)


def _order(bench: Bench, claim: Claim, folder: Path, *, devices: Sequence[str]) -> Order:
    device, several = chosen(claim.device, devices[0]), together(claim, devices)
    return Order(
        spec=claim.spec,
        folder=folder,
        device=several[0] if several else device,
        devices=several,
        nodes=nodes_of(claim.spec),
        rendezvous=bench.settings.rendezvous or "",
        cache=bench.root / "cache",
        datasets=artifacts.folders(bench.root, bench.settings.files),
        checkpoints=keeping.folder(bench.root, claim),
        candidates=keeping.candidates(bench.root, claim),
        lineage=claim.lineage,
        resolved=claim.resolved,
        lease_s=bench.settings.lease_s,
        heartbeat_s=bench.settings.heartbeat_s,
    )


def _follow(run: Run, child: Child, delivery: Delivery) -> RunEvent | None:
    """Hand on what the child tells until its last word, which comes back, or until it is gone (None)."""
    while (told := child.read()) is not None:
        run.hear(told)
        delivery.put([_placed(run.claim, event) for event in told if not isinstance(event, Stopped)])
        if told and isinstance(told[-1], LAST_WORDS):
            return told[-1]
    return None


def _placed(claim: Claim, event: RunEvent) -> RunEvent:
    if isinstance(event, Finished):
        return replace(event, artifacts=artifacts.placed(claim, event.artifacts))
    if isinstance(event, Checkpointed):
        return Checkpointed(keeping.placed(claim, event.checkpoint))
    return event


def _recorded(bench: Bench, run: Run, events: Sequence[RunEvent], status: Status) -> None:
    claim = run.claim
    bench.bell.ring(claim.job_id)
    stop_as_asked(run, status)
    if any(isinstance(event, Checkpointed) for event in events):
        failpoint("checkpoint.after_row")
        with suppress(TrainwireError, OSError):  # the next one does it
            named = bench.store.named_checkpoints(claim.job_id)
            keeping.drop_unnamed(bench.root, claim.job_id, named=named, attempt=claim.attempt)


def _store_end(bench: Bench, run: Run, end: Failed | Back) -> None:
    if isinstance(end, Failed):
        bench.store.record(run.claim, [end])
    else:
        bench.store.release(run.claim, error=end.error, reason=end.reason, run_s=run.run_s())
