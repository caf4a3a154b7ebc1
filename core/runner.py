"""One job from its claim to its end: what both doors of the service lead to."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from core import artifacts
from core.bell import WatchBell
from core.errors import ClaimLost, TrainwireError, Unavailable
from core.events import Finished, RunEvent
from core.job import Claim, ErrorInfo, Job, Reason, Status, Worker
from core.runs import Run, Runs, Stop

log = logging.getLogger(__name__)
_RETRY_S = 0.3
_SHUTDOWN_S = 0.5
"""A shutdown that signals every process reaches the child before its supervisor drains: not the child's failure."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a training process is told: the spec, the folder for its files, the device, the cache of datasets."""

    spec: Mapping[str, Any]
    folder: Path
    device: str
    cache: Path


class Child(Protocol):
    """A training process at work."""

    def read(self) -> Sequence[RunEvent] | None:
        """Wait, then everything it has told since; None once it is gone and all was read."""

    def kill(self) -> None:
        """End it and the processes it started, at once; from any thread, also when it is gone."""

    def close(self) -> int:
        """Kill it, wait until it is gone and let its pipes go; gives its exit code (negative: the signal)."""


class Launcher(Protocol):
    """Where training processes come from."""

    def launch(self, order: Order) -> Child:
        """A process that takes up `order`."""


class RunStore(Protocol):
    """What a run needs of the store."""

    def claim(self, worker: Worker, *, device: str | None = None) -> Claim | None:
        """Take the best queued job that the worker can run."""

    def record(self, claim: Claim, events: Sequence[RunEvent]) -> Status:
        """Store what a run told; raises ClaimLost."""

    def release(self, claim: Claim, *, error: ErrorInfo | None = None) -> Status:
        """Give the job back; raises ClaimLost."""

    def job(self, job_id: str) -> Job:
        """The job; raises NotFound."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What runs are worked on with: the store, the processes, the watchers' bell and the artifacts folder."""

    store: RunStore
    launcher: Launcher
    bell: WatchBell
    root: Path
    runs: Runs


def work_one(bench: Bench, worker: Worker, *, slot: int, device: str) -> bool:
    """Claim the best job for `worker` and see it to its end; False when there was none.

    It runs in `slot`, and on the slot's `device` where its spec leaves the choice.
    """
    claim = bench.store.claim(worker)
    if claim is None:
        return False
    run = Run(claim, slot=slot)
    bench.runs.add(run)
    try:
        bench.bell.ring(claim.job_id)
        _see_to_its_end(bench, run, device=device)
    finally:
        _tidy(bench, claim)
        bench.runs.remove(run)
        bench.bell.ring(claim.job_id)
    return True


def chosen(wanted: str, own: str) -> str:
    """The device to train on: the slot's own, unless the spec names another one."""
    return own if wanted in ("auto", own, own.partition(":")[0]) else wanted


def _see_to_its_end(bench: Bench, run: Run, *, device: str) -> None:
    try:
        error = _train(bench, run, device=device)
    except ClaimLost:
        run.stop(Stop.LOST)
        return
    except Exception as broken:  # the supervisor's edge: whatever went wrong, the job must not stay "running"
        log.exception("The run of %s broke", run.claim.job_id)
        error = ErrorInfo(Reason.INTERNAL_ERROR, f"The worker could not go on: {type(broken).__name__}: {broken}")
    if error is not None:
        _give_back(bench, run, error)


def _train(bench: Bench, run: Run, *, device: str) -> ErrorInfo | None:
    """None once the job has ended, else what became of the process that should have brought it there."""
    claim = run.claim
    folder = artifacts.attempt_folder(bench.root, claim)
    order = Order(claim.spec, folder, chosen(claim.device, device), bench.root / "cache")
    child = bench.launcher.launch(order)
    exit_code = 0
    try:
        run.attach(child)
        if _follow(bench, run, child):
            return None
    finally:
        exit_code = child.close()
    if exit_code == -signal.SIGTERM:
        run.wait_stopped(_SHUTDOWN_S)
    return _cause(exit_code)


def _follow(bench: Bench, run: Run, child: Child) -> bool:
    """Record what the child tells until the job has ended (True) or the child is gone (False)."""
    while (told := child.read()) is not None:
        if not told:
            continue
        status = _record(bench, run, [_placed(run.claim, event) for event in told])
        bench.bell.ring(run.claim.job_id)
        if status.ended:
            return True
        if status is Status.CANCELLING:
            run.stop(Stop.CANCELLED)
    return False


def _record(bench: Bench, run: Run, events: Sequence[RunEvent]) -> Status:
    """One transaction; while the database is away the child waits, at the latest with its pipe full."""
    told = False
    while True:
        try:
            return bench.store.record(run.claim, events)
        except Unavailable as away:
            if run.stopped in (Stop.DRAINED, Stop.LOST):
                raise
            if not told:
                log.warning("%s waits for the database: %s", run.claim.job_id, away)
            told = True
            time.sleep(_RETRY_S)


def _placed(claim: Claim, event: RunEvent) -> RunEvent:
    if isinstance(event, Finished):
        return replace(event, artifacts=artifacts.placed(claim, event.artifacts))
    return event


def _cause(exit_code: int) -> ErrorInfo:
    if exit_code >= 0:
        message = f"The training process exited with code {exit_code} before the job ended."
        return ErrorInfo(Reason.INTERNAL_ERROR, message, "Its last lines are in the job's logs.")
    number = -exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    hint = "Its last lines are in the job's logs."
    if number == signal.SIGKILL:
        hint = "When memory runs out the system kills so: a smaller batch_size or model needs less."
    return ErrorInfo(Reason.KILLED_BY_SIGNAL, f"The training process was killed by {name}.", hint)


def _give_back(bench: Bench, run: Run, error: ErrorInfo) -> None:
    """Release the claim: without penalty when the run was stopped, else as one failure more."""
    with suppress(ClaimLost):
        while run.stopped is not Stop.LOST:
            try:
                bench.store.release(run.claim, error=None if run.stopped else error)
            except Unavailable:
                if run.stopped is Stop.DRAINED:
                    return  # the lease runs out by itself
                time.sleep(_RETRY_S)
            else:
                return


def _tidy(bench: Bench, claim: Claim) -> None:
    try:
        artifacts.tidy(bench.root, bench.store.job(claim.job_id))
    except TrainwireError:
        return  # unknown; the next attempt, or who sweeps, removes what this one left
