"""When a run is ended from outside: the database says so, it is overdue, or it stands still."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.job import Claim, Status
from core.supervision.runs import Run, Stop

_STALL_TIMEOUT_S = 900.0
"""For specs stored before there was one in them."""
_NOT_HELD = (0, Status.QUEUED, False)
_ASKED = {Status.CANCELLING: Stop.CANCELLED, Status.PAUSING: Stop.PAUSED}


def stop_what_ended(runs: Collection[Run], held: Mapping[str, tuple[int, Status, bool]]) -> None:
    """Stop those of `runs` (known before `held` was read) that were asked to end or that another holds.

    `held` says attempt, status and whether to kill, by job id.
    """
    for run in runs:
        attempt, status, forced = held.get(run.claim.job_id, _NOT_HELD)
        if attempt != run.claim.attempt:
            run.stop(Stop.LOST)
        else:
            stop_as_asked(run, status, forced=forced)


def stop_as_asked(run: Run, status: Status, *, forced: bool = False) -> None:
    """Stop the run if its job is to be paused or cancelled."""
    if forced and status is Status.CANCELLING:
        run.stop(Stop.FORCED)
    elif status in _ASKED and run.stopped is None:
        run.stop(_ASKED[status])


def stop_what_is_over(runs: Collection[Run], *, waited_s: float, grace_s: float) -> None:
    """Stop those of `runs` that are overdue or have stalled, `waited_s` after the last look; end those that were asked.

    No database is needed for that.
    """
    for run in runs:
        run.kill_if_late(grace_s)
        run.stillness.wait(waited_s)
        if run.stopped is None:
            _stop_if_over(run)


def deadline_s(claim: Claim) -> float | None:
    """How long the job may run, all attempts together; None: any time."""
    return claim.spec.get("deadline_s")


def stall_timeout_s(claim: Claim) -> float:
    """How long the run may go without a step."""
    return float(claim.spec.get("stall_timeout_s", _STALL_TIMEOUT_S))


def memory_gb(claim: Claim) -> float | None:
    """How much main memory the run may hold; None: any."""
    given: float | None = claim.spec.get("resources", {}).get("memory_gb")
    return given


def _stop_if_over(run: Run) -> None:
    limit = deadline_s(run.claim)
    if limit is not None and run.run_s() > limit:
        run.stop(Stop.DEADLINE)
    elif run.stillness.lasts(stall_timeout_s(run.claim)):
        run.stop(Stop.STALLED)
