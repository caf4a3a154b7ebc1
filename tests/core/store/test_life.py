"""The life of jobs under any order of events: what users, workers, deaths and sweeps do, against a small model."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from core.errors import ClaimLost, WrongStatus
from core.events import Failed, Finished, RunEvent
from core.job import HELD, Claim, ErrorInfo, Job, Reason, Status
from core.store import Store
from tests.core.store.making import FINISHED, STARTED, a_spec, a_worker, an_epoch, settings

MAX_ATTEMPTS = 3
DEATH = ErrorInfo("killed_by_signal", "SIGKILL")
NEXT = {
    Status.QUEUED: {Status.RUNNING, Status.CANCELLED},
    Status.RUNNING: {Status.QUEUED, Status.CANCELLING, Status.SUCCEEDED, Status.FAILED},
    Status.CANCELLING: {Status.CANCELLED, Status.SUCCEEDED},
}


@dataclass
class Expected:
    """What the model knows of a job."""

    status: Status = Status.QUEUED
    attempt: int = 0
    failures: int = 0
    epochs: int = 0
    silent: bool = False


class Life(RuleBasedStateMachine):
    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self, template: Path) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "trainwire.db"
        shutil.copy(template, path)
        self.store = Store.open(f"sqlite:///{path}", settings=settings(max_attempts=MAX_ATTEMPTS))
        self.short = Store.open(f"sqlite:///{path}", settings=settings(max_attempts=MAX_ATTEMPTS, lease_s=1e-6))
        self.expected: dict[str, Expected] = {}
        self.ended: dict[str, Job] = {}

    def teardown(self) -> None:
        self.store.close()
        self.short.close()
        self.folder.cleanup()

    @rule(target=jobs)
    def add(self) -> str:
        job = self.store.add(a_spec())
        self.expected[job.id] = Expected()
        return job.id

    @rule(target=claims, silent=st.booleans())
    def claim(self, silent: bool) -> object:
        """Claims go in the order of age; a worker that is `silent` never renews its lease."""
        claim = (self.short if silent else self.store).claim(a_worker())
        waiting = [job_id for job_id, job in self.expected.items() if job.status is Status.QUEUED]
        if claim is None:
            assert waiting == []
            return multiple()
        assert claim.job_id == min(waiting)
        job = self.expected[claim.job_id]
        job.status, job.attempt, job.silent = Status.RUNNING, job.attempt + 1, silent
        assert claim.attempt == job.attempt
        return claim

    @rule(claim=claims, epochs=st.integers(0, 3))
    def tell(self, claim: Claim, epochs: int) -> None:
        """A run computes its first epochs, again if an earlier attempt did."""
        if self.record(claim, [STARTED, *(an_epoch(number) for number in range(1, epochs + 1))]) is not None:
            job = self.expected[claim.job_id]
            job.epochs = max(job.epochs, epochs)

    @rule(claim=claims, fails=st.booleans())
    def end(self, claim: Claim, fails: bool) -> None:
        last: Finished | Failed = Failed(Reason.DIVERGED, ErrorInfo("diverged", "NaN")) if fails else FINISHED
        job = self.expected[claim.job_id]
        asked = job.status
        status = self.record(claim, [last])
        if status is not None:
            failed = Status.CANCELLED if asked is Status.CANCELLING else Status.FAILED
            assert status is (failed if fails else Status.SUCCEEDED)
            job.status = status

    def record(self, claim: Claim, events: list[RunEvent]) -> Status | None:
        if self.holds(claim):
            return self.store.record(claim, events)
        with pytest.raises(ClaimLost):
            self.store.record(claim, events)
        return None

    @rule(claim=claims, dies=st.booleans())
    def release(self, claim: Claim, dies: bool) -> None:
        error = DEATH if dies else None
        if not self.holds(claim):
            with pytest.raises(ClaimLost):
                self.store.release(claim, error=error)
            return
        assert self.store.release(claim, error=error) is self.back(claim.job_id, dies=dies)

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        job = self.expected[job_id]
        if job.status in {Status.SUCCEEDED, Status.FAILED}:
            with pytest.raises(WrongStatus):
                self.store.cancel(job_id)
            return
        if job.status is Status.RUNNING:
            job.status = Status.CANCELLING
        elif job.status is Status.QUEUED:
            job.status = Status.CANCELLED
        assert self.store.cancel(job_id).status is job.status

    @rule()
    def sweep(self) -> None:
        overdue = {job_id for job_id, job in self.expected.items() if job.status in HELD and job.silent}
        assert set(self.store.sweep()) == overdue
        for job_id in overdue:
            self.back(job_id, dies=True)

    @rule()
    def recover(self) -> None:
        held = {job_id for job_id, job in self.expected.items() if job.status in HELD}
        assert set(self.store.recover()) == held
        for job_id in held:
            self.back(job_id, dies=True)

    def holds(self, claim: Claim) -> bool:
        job = self.expected[claim.job_id]
        return job.attempt == claim.attempt and job.status in HELD

    def back(self, job_id: str, *, dies: bool) -> Status:
        job = self.expected[job_id]
        job.failures += dies
        if job.status is Status.CANCELLING:
            job.status = Status.CANCELLED
        else:
            job.status = Status.FAILED if dies and job.failures >= MAX_ATTEMPTS else Status.QUEUED
        return job.status

    @invariant()
    def every_job_is_where_the_model_says(self) -> None:
        for job_id, expected in self.expected.items():
            job = self.store.job(job_id)
            assert (job.status, job.attempt) == (expected.status, expected.attempt)
            assert [row.epoch for row in self.store.epochs(job_id)] == list(range(1, expected.epochs + 1))
            if job_id in self.ended:
                assert job == self.ended[job_id]
            elif job.status.ended:
                self.ended[job_id] = job

    @invariant()
    def every_log_is_gapless_tells_each_epoch_once_and_only_allowed_changes(self) -> None:
        for job_id in self.expected:
            job, events = self.store.job(job_id), self.store.events(job_id)
            assert [event.seq for event in events] == list(range(1, job.version + 1))
            told = [json.loads(event.data)["epoch"] for event in events if event.type.value == "epoch"]
            assert told == sorted(set(told))
            statuses = [change.status for change in job.transitions]
            assert statuses[-1] is job.status
            assert all(after in NEXT[before] for before, after in pairwise(statuses))
            assert [event.type.value for event in events].count("end") == job.status.ended


def test_any_order_of_events_keeps_every_promise(sqlite_template: Path) -> None:
    check(sqlite_template, examples=25, steps=25)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_ten_thousand_steps_keep_every_promise(sqlite_template: Path) -> None:
    check(sqlite_template, examples=200, steps=50)


def check(template: Path, *, examples: int, steps: int) -> None:
    given = effort(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Life(template), settings=given)  # type: ignore[arg-type]  # a factory will do
