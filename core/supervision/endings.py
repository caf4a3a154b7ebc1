"""What becomes of a job whose training process is gone without having ended it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import RunFailed, StorageFull
from core.events import Failed, Finished, Stopped
from core.job import ErrorInfo, Reason
from core.supervision.limits import deadline_s, memory_gb, stall_timeout_s
from core.supervision.runs import Run, Stop

LAST_WORDS = (Finished, Failed, Stopped)
"""Behind one of these a training process tells nothing more."""
_LOGS = "Its last lines are in the job's logs."


class Exit(NamedTuple):
    """How a process ended: its exit code (negative: the signal; None: nobody saw it), and whether memory ran out."""

    code: int | None
    starved: bool = False


@dataclass(frozen=True, slots=True)
class Back:
    """The job goes back to the queue: one failure worse with an `error`, else without penalty."""

    error: ErrorInfo | None = None
    reason: Reason | None = None


def ending(run: Run, exit_: Exit, *, lease_s: float, said_stopped: bool) -> Failed | Back:
    """What to store of the run: that it failed for good, or that it goes back."""
    if run.stopped is Stop.DEADLINE:
        return _overdue(run)
    if run.stopped is Stop.STALLED:
        return Back(_stalled(run))
    if run.stopped or said_stopped:
        return unpunished(run)
    if exit_.code in (None, -signal.SIGKILL) and run.was_silent(lease_s):
        return Back(reason=Reason.LEASE_EXPIRED)  # we stood still, and it ended itself as it should
    return Back(_aborted(run, exit_) or _cause(exit_))


def broken(run: Run, error: Exception) -> Failed | Back:
    """What to store of a run that this process could not see to its end."""
    if isinstance(error, StorageFull):
        return Failed(error.reason, error.info)
    if run.stopped not in (None, Stop.BROKEN, Stop.STALLED):
        return unpunished(run)
    if isinstance(error, RunFailed):
        return Back(error.info)
    message = f"The worker could not go on: {type(error).__name__}: {error}"
    return Back(ErrorInfo(Reason.INTERNAL_ERROR, message))


def unpunished(run: Run) -> Back:
    """The way back of a run that was stopped; what was asked of the job meanwhile comes true there."""
    drains = run.stopped in (Stop.DRAINED, Stop.CUT_OFF)
    return Back(reason=Reason.WORKER_DRAINED if drains else None)


def _overdue(run: Run) -> Failed:
    limit = deadline_s(run.claim) or 0.0
    message = f"The job ran for {run.run_s():.0f} s, all attempts together; its deadline_s is {limit:g}."
    hint = "Raise deadline_s or lower epochs; a retry goes on from the last checkpoint."
    return Failed(
        Reason.DEADLINE_EXCEEDED, ErrorInfo(Reason.DEADLINE_EXCEEDED, message, hint=hint, param="/deadline_s")
    )


def _stalled(run: Run) -> ErrorInfo:
    limit = stall_timeout_s(run.claim)
    message = f"The run made no step for longer than its stall_timeout_s of {limit:g}."
    hint = f"{_LOGS} If a step may take so long, raise stall_timeout_s."
    return ErrorInfo(Reason.STALLED, message, hint=hint, param="/stall_timeout_s")


def _aborted(run: Run, exit_: Exit) -> ErrorInfo | None:
    """Below a limit of memory, what reads tables (polars) has no way to say that an allocation failed but to abort."""
    given = memory_gb(run.claim)
    if given is None or exit_.code != -signal.SIGABRT:
        return None
    message = f"The training process gave up; most likely its resources.memory_gb of {given:g} did not suffice."
    hint = f"Raise resources.memory_gb, or bring less data. {_LOGS}"
    return ErrorInfo(Reason.OUT_OF_MEMORY, message, hint=hint, param="/resources/memory_gb")


def _cause(exit_: Exit) -> ErrorInfo:
    if exit_.starved:
        hint = "Lower batch_size or make the model smaller, or give the worker more memory."
        message = "The system killed the training process because its memory ran out."
        return ErrorInfo(Reason.OUT_OF_MEMORY, message, hint=hint, param="/batch_size")
    if exit_.code is None:
        return ErrorInfo(Reason.INTERNAL_ERROR, "The training process is gone, and nobody saw why.", hint=_LOGS)
    if exit_.code >= 0:
        message = f"The training process exited with code {exit_.code} before the job ended."
        return ErrorInfo(Reason.INTERNAL_ERROR, message, hint=_LOGS)
    number = -exit_.code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return ErrorInfo(Reason.KILLED_BY_SIGNAL, f"The training process was killed by {name}.", hint=_LOGS)
