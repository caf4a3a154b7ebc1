"""What becomes of a job when its run comes to no end of its own: it stopped, died, or its worker was lost."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from core.job import ErrorInfo, Reason, Status
from core.settings import Settings
from core.store.moves import Move, Standing

FINAL = frozenset({Reason.DIVERGED, Reason.INVALID_DATA, Reason.INVALID_SPEC, Reason.DEADLINE_EXCEEDED})
"""What another try would not change."""
LONGEST_WAIT_S = 60.0
JITTER = 0.2


class Verdict(NamedTuple):
    """The change of status, and the counts that go with it."""

    move: Move
    values: dict[str, Any]


def of_stop(row: Standing, reason: Reason | None) -> Verdict:
    """A run that stopped because it was asked to: what was asked comes true, and nothing is counted."""
    return Verdict(_asked(row, by="worker") or Move(Status.QUEUED, reason, by="worker"), {})


def of_failure(row: Standing, reason: Reason, error: ErrorInfo, settings: Settings) -> Verdict:
    """A run that died of `reason`: tried again unless that is in vain or has been tried too often."""
    if row.status is Status.CANCELLING:
        return Verdict(Move(Status.CANCELLED, Reason.CANCELLED_BY_USER, by="worker"), {})
    if reason in FINAL or _again_out_of_memory(row, reason):
        return Verdict(Move(Status.FAILED, reason, by="worker", error=error), {})
    if reason is Reason.STORAGE_FULL:
        return _without_space(row, error, settings)
    died = row.failures + 1
    if (asked := _asked(row, by="worker", error=error)) is not None:
        return Verdict(asked, {"failures": died})
    if died >= settings.max_attempts:
        last = _last(error, died)
        return Verdict(Move(Status.FAILED, Reason.RETRY_LIMIT, by="worker", error=last), {"failures": died})
    wait_s = _backoff(died - 1, settings)
    return Verdict(Move(Status.QUEUED, reason, by="worker", error=error, wait_s=wait_s), {"failures": died})


def of_loss(row: Standing, settings: Settings) -> Verdict:
    """A run whose worker fell silent: tried again, at once since its lease was wait enough."""
    lost = row.lost + 1
    move = _asked(row, by="service")
    if move is None and lost >= settings.max_lost_workers:
        move = Move(Status.FAILED, Reason.WORKER_LOST, by="service", error=_silence(lost))
    return Verdict(move or Move(Status.QUEUED, Reason.LEASE_EXPIRED, by="service"), {"lost": lost})


def reason_of(error: ErrorInfo) -> Reason:
    """The reason that the error's code names; one that is none is an internal error."""
    return Reason(error.code) if error.code in set(Reason) else Reason.INTERNAL_ERROR


def _asked(row: Standing, *, by: str, error: ErrorInfo | None = None) -> Move | None:
    """What was asked of the run, if anything was."""
    if row.status is Status.CANCELLING:
        return Move(Status.CANCELLED, Reason.CANCELLED_BY_USER, by=by)
    if row.status is Status.PAUSING:
        return Move(Status.PAUSED, Reason.PAUSED_BY_USER, by=by, error=error)
    return None


def _again_out_of_memory(row: Standing, reason: Reason) -> bool:
    return reason is Reason.OUT_OF_MEMORY and row.error is not None and row.error["code"] == reason


def _without_space(row: Standing, error: ErrorInfo, settings: Settings) -> Verdict:
    """Paused until there is space, however often: the disk is not the job's fault."""
    times = row.no_space + 1
    waiting = Move(Status.PAUSED, Reason.STORAGE_FULL, by="worker", error=error, wait_s=_backoff(times, settings))
    return Verdict(_asked(row, by="worker", error=error) or waiting, {"no_space": times})


def _backoff(times: int, settings: Settings) -> float:
    """0, then one, two, four, … times `backoff_s`, at most a minute, and never quite the same for all."""
    if times == 0:
        return 0.0
    doubled = settings.backoff_s * 2.0 ** min(times - 1, 30)
    return min(LONGEST_WAIT_S, doubled) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  jitter, no secret


def _last(error: ErrorInfo, died: int) -> ErrorInfo:
    message = f"The run died {_times(died)}; the last time: {error.message}"
    return ErrorInfo(Reason.RETRY_LIMIT, message, hint=error.hint, param=error.param)


def _silence(lost: int) -> ErrorInfo:
    message = f"The run was started {_times(lost)}, and its worker fell silent or died."
    return ErrorInfo(
        Reason.WORKER_LOST, message, hint="Look at the worker's memory and logs, then submit the job again."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row without a new checkpoint or epoch"
