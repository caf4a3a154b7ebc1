"""What the store promises of a job's life, said again in a few plain lines: the model of the state machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from core.events import RunEvent
from core.job import HELD, Claim, Reason, Status

LEASE_S = 12
BACKOFF_S = 1
MAX_ATTEMPTS = 3
MAX_LOST = 3
KEEP_LAST = 2
FINAL = {Reason.DIVERGED}


NEXT = {
    Status.QUEUED: {Status.RUNNING, Status.PAUSED, Status.CANCELLED},
    Status.RUNNING: {
        Status.QUEUED,
        Status.PAUSING,
        Status.PAUSED,
        Status.CANCELLING,
        Status.SUCCEEDED,
        Status.FAILED,
    },
    Status.PAUSING: {Status.RUNNING, Status.PAUSED, Status.CANCELLING, Status.SUCCEEDED, Status.FAILED},
    Status.PAUSED: {Status.QUEUED, Status.PAUSED, Status.CANCELLED},
    Status.CANCELLING: {Status.CANCELLED, Status.SUCCEEDED},
}
VERBS = {
    "pause": {
        Status.QUEUED: Status.PAUSED,
        Status.RUNNING: Status.PAUSING,
        Status.PAUSING: Status.PAUSING,
        Status.PAUSED: Status.PAUSED,
    },
    "resume": {
        Status.PAUSED: Status.QUEUED,
        Status.PAUSING: Status.RUNNING,
        Status.QUEUED: Status.QUEUED,
        Status.RUNNING: Status.RUNNING,
    },
    "cancel": {
        **dict.fromkeys((Status.QUEUED, Status.PAUSED, Status.CANCELLED), Status.CANCELLED),
        **dict.fromkeys(HELD, Status.CANCELLING),
    },
}
VERBS["force"] = VERBS["cancel"]
WHY = {
    "pause": Reason.PAUSED_BY_USER,
    "resume": None,
    "cancel": Reason.CANCELLED_BY_USER,
    "force": Reason.CANCELLED_BY_USER,
}


class Saved(NamedTuple):
    """A checkpoint's row; the order of these is their age."""

    attempt: int
    epoch: int
    step: int
    id: str

    @property
    def place(self) -> tuple[int, int]:
        return self.epoch, self.step


@dataclass
class Run:
    """What one attempt computes: from its newest checkpoint on, ever further."""

    claim: Claim
    epoch: int = 0
    step: int = 0
    last: tuple[RunEvent, ...] = ()

    @property
    def job_id(self) -> str:
        return self.claim.job_id

    @property
    def attempt(self) -> int:
        return self.claim.attempt


@dataclass
class Model:
    """A job as it must stand."""

    first: int = 0
    status: Status = Status.QUEUED
    reason: Reason | None = None
    priority: int = 0
    attempt: int = 0
    failures: int = 0
    lost: int = 0
    no_space: int = 0
    error: str | None = None
    last: int = 0
    lease_until: float = 0.0
    not_before: float | None = None
    forced: bool = False
    saved: list[Saved] = field(default_factory=list)

    def holds(self, run: Run) -> bool:
        return self.status in HELD and self.attempt == run.attempt

    def due(self, now: float) -> bool:
        return self.not_before is None or self.not_before <= now

    def waits_for_space(self) -> bool:
        return self.status is Status.PAUSED and self.reason is Reason.STORAGE_FULL

    def allows(self, verb: str) -> bool:
        return self.status in VERBS[verb]

    def does(self, verb: str) -> None:
        after = VERBS[verb][self.status]
        if after is not self.status or (verb == "pause" and self.waits_for_space()):
            self.goes(after, WHY[verb])
        if after is Status.CANCELLING:
            self.forced |= verb == "force"

    def claimed(self, now: float) -> None:
        self.attempt += 1
        self.lease_until = now + LEASE_S
        self.goes(Status.RUNNING, None)

    def begun(self, claim: Claim) -> Run:
        """The run of a claim, at the newest checkpoint."""
        epoch, step = self.saved[-1].place if self.saved else (0, 0)
        return Run(claim, epoch, step)

    def goes(self, status: Status, reason: Reason | None, *, not_before: float | None = None) -> Status:
        self.status, self.reason, self.not_before = status, reason, not_before
        if status in {Status.SUCCEEDED, Status.CANCELLED}:
            self.error = None
        return status

    def advances(self) -> None:
        self.failures = self.lost = self.no_space = 0
        self.error = None

    def epoch_ends(self, number: int) -> None:
        if number > max(self.first, self.last):
            self.last = number
            self.advances()

    def saves(self, fresh: Saved) -> None:
        if fresh.place not in [row.place for row in self.saved]:
            self.advances()
        self.saved = sorted([*self.saved, fresh])[-KEEP_LAST:]

    def stops(self, otherwise: Reason | None) -> Status:
        """The run stops as it was asked to, or drains."""
        return self.asked() or self.goes(Status.QUEUED, otherwise)

    def asked(self) -> Status | None:
        if self.status is Status.CANCELLING:
            return self.goes(Status.CANCELLED, Reason.CANCELLED_BY_USER)
        if self.status is Status.PAUSING:
            return self.goes(Status.PAUSED, Reason.PAUSED_BY_USER)
        return None

    def loses_its_worker(self) -> None:
        self.lost += 1
        if self.asked() is None:
            if self.lost >= MAX_LOST:
                self.error = Reason.WORKER_LOST
                self.goes(Status.FAILED, Reason.WORKER_LOST)
            else:
                self.goes(Status.QUEUED, Reason.LEASE_EXPIRED)

    def dies(self, reason: Reason, now: float) -> Status:
        if self.status is Status.CANCELLING:
            return self.goes(Status.CANCELLED, Reason.CANCELLED_BY_USER)
        again = self.error
        self.error = reason
        if reason in FINAL or (reason is Reason.OUT_OF_MEMORY and again == reason):
            return self.goes(Status.FAILED, reason)
        if reason is Reason.STORAGE_FULL:
            self.no_space += 1
            wait_s = min(60, BACKOFF_S * 2 ** (self.no_space - 1))
            return self.asked() or self.goes(Status.PAUSED, reason, not_before=now + wait_s)
        self.failures += 1
        if (asked := self.asked()) is not None:
            return asked
        if self.failures >= MAX_ATTEMPTS:
            self.error = Reason.RETRY_LIMIT
            return self.goes(Status.FAILED, Reason.RETRY_LIMIT)
        wait_s = min(60, BACKOFF_S * 2 ** (self.failures - 2)) if self.failures > 1 else 0
        return self.goes(Status.QUEUED, reason, not_before=now + wait_s if wait_s else None)

    def forked(self, epoch: int) -> Model:
        """A job that goes another way behind `epoch`."""
        before = sorted((row for row in self.saved if row.place <= (epoch, 0)), key=lambda row: row.place)
        return Model(first=epoch, last=epoch, saved=_copied(before[-KEEP_LAST:]))

    def retried(self, *, from_start: bool) -> Model:
        """The same job once more."""
        copies = [] if from_start else _copied(self.saved[-KEEP_LAST:])
        first = max([self.first, *(row.epoch for row in copies)])
        return Model(first=first, last=first, saved=copies, priority=self.priority)


def _copied(rows: list[Saved]) -> list[Saved]:
    return sorted(row._replace(attempt=0) for row in rows)
