"""The life of jobs under any order of events: what users, workers, deaths and sweeps do, against a small model.

Another order of events: `TRAINWIRE_TEST_SEED=7 pytest tests/core/store/test_state_machine.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, seed
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from core.errors import ClaimLost, Gone, SpecRefused, WrongStatus
from core.events import Logged, Noticed, RunEvent, Stopped
from core.job import ENDED, HELD, Claim, Job, Progress, Reason, Status
from core.store import Fork, Held, Retry, verdicts
from tests.core.store.life_model import (
    BACKOFF_S,
    LEASE_S,
    MAX_ATTEMPTS,
    MAX_LOST,
    Model,
    Run,
    Saved,
    at_the_newest,
)
from tests.core.store.making import (
    FINISHED,
    STARTED,
    HandClock,
    a_checkpoint,
    a_spec,
    a_worker,
    an_epoch,
    emptied,
    failed,
    timed,
    told,
)

SEED = int(os.environ.get("TRAINWIRE_TEST_SEED", "0"))
LIMITS = {"lease_s": LEASE_S, "backoff_s": BACKOFF_S, "max_attempts": MAX_ATTEMPTS, "max_lost_workers": MAX_LOST}
DEATHS = [
    Reason.KILLED_BY_SIGNAL,
    Reason.OUT_OF_MEMORY,
    Reason.STALLED,
    Reason.STORAGE_FULL,
    Reason.DIVERGED,
    Reason.DEADLINE_EXCEEDED,
]
Bare = Callable[[], tuple[str, Callable[[], None]]]
"""Makes a fresh database: its URL, and how to be rid of it."""
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Life(RuleBasedStateMachine):
    jobs = Bundle("jobs")
    runs = Bundle("runs")

    def __init__(self, bare: Bare) -> None:
        super().__init__()
        url, self.rid = bare()
        self.clock = HandClock()
        self.store = timed(url, self.clock, **LIMITS)
        self.models: dict[str, Model] = {}
        self.deleted: set[str] = set()
        self.ended: dict[str, tuple[Job, int]] = {}
        self.claims: dict[tuple[str, int], Claim] = {}
        self.numbers = count(1)

    def teardown(self) -> None:
        self.store.close()
        self.rid()

    @property
    def now(self) -> float:
        return (self.clock.moment - ORIGIN).total_seconds()

    # What clients do.

    @rule(target=jobs, priority=st.integers(0, 1))
    def submit(self, priority: int) -> str:
        job = self.store.add(a_spec(priority=priority))
        self.models[job.id] = Model(priority=priority)
        return job.id

    @rule(job_id=jobs)
    def pause(self, job_id: str) -> None:
        after = {Status.QUEUED: Status.PAUSED, Status.RUNNING: Status.PAUSING, Status.PAUSED: Status.PAUSED}
        self.acts(job_id, self.store.pause, {**after, Status.PAUSING: Status.PAUSING}, Reason.PAUSED_BY_USER)

    @rule(job_id=jobs)
    def resume(self, job_id: str) -> None:
        after = {Status.PAUSED: Status.QUEUED, Status.PAUSING: Status.RUNNING}
        same = {Status.QUEUED: Status.QUEUED, Status.RUNNING: Status.RUNNING}
        self.acts(job_id, self.store.resume, {**after, **same}, None)

    @rule(job_id=jobs, force=st.booleans())
    def cancel(self, job_id: str, force: bool) -> None:
        after = dict.fromkeys((Status.QUEUED, Status.PAUSED, Status.CANCELLED), Status.CANCELLED)
        held = dict.fromkeys(HELD, Status.CANCELLING)

        def act(job_id: str) -> Job:
            return self.store.cancel(job_id, force=force)

        self.acts(job_id, act, {**after, **held}, Reason.CANCELLED_BY_USER)
        if job_id in self.models and self.models[job_id].status is Status.CANCELLING:
            self.models[job_id].forced |= force

    def acts(self, job_id: str, act: Callable[[str], Job], after: dict[Status, Status], reason: Reason | None) -> None:
        if job_id in self.deleted:
            with pytest.raises(Gone):
                act(job_id)
            return
        model = self.models[job_id]
        expected = after.get(model.status)
        if expected is None:
            with pytest.raises(WrongStatus):
                act(job_id)
            return
        without_space = model.reason is Reason.STORAGE_FULL and expected is Status.PAUSED
        if expected is not model.status or without_space:
            model.goes(expected, reason)
        assert act(job_id).status is expected

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        if job_id in self.models and not self.models[job_id].status.ended:
            with pytest.raises(WrongStatus):
                self.store.delete(job_id)
            return
        self.store.delete(job_id)
        self.models.pop(job_id, None)
        self.ended.pop(job_id, None)
        self.deleted.add(job_id)

    @rule(target=jobs, job_id=jobs, from_start=st.booleans())
    def retry(self, job_id: str, from_start: bool) -> object:
        wish = Retry(job_id, from_start=from_start)
        model = self.models.get(job_id)
        if model is None or model.status not in {Status.FAILED, Status.CANCELLED}:
            with pytest.raises(Gone if model is None else WrongStatus):
                self.store.create(wish, told=told)
            return multiple()
        made = self.store.create(wish, told=told)
        self.models[made.job_id] = replace_priority(model.retried(from_start=from_start), model.priority)
        return made.job_id

    @rule(target=jobs, job_id=jobs, epoch=st.none() | st.integers(0, 4))
    def fork(self, job_id: str, epoch: int | None) -> object:
        wish = Fork(job_id, epoch, a_spec())
        model = self.models.get(job_id)
        if model is None:
            with pytest.raises(Gone):
                self.store.create(wish, told=told)
            return multiple()
        at = model.last if epoch is None else epoch
        if not model.first <= at <= model.last:
            with pytest.raises(SpecRefused):
                self.store.create(wish, told=told)
            return multiple()
        made = self.store.create(wish, told=told)
        self.models[made.job_id] = model.forked(at)
        return made.job_id

    # What workers do.

    @rule(target=runs, worker=st.sampled_from(["one", "two"]))
    def claim(self, worker: str) -> object:
        claim = self.store.claim(a_worker(worker))
        waiting = [key for key, model in self.models.items() if model.status is Status.QUEUED and model.due(self.now)]
        if claim is None:
            assert waiting == []
            return multiple()
        assert claim.job_id == min(waiting, key=lambda key: (-self.models[key].priority, key))
        model = self.models[claim.job_id]
        model.attempt += 1
        model.goes(Status.RUNNING, None)
        model.lease_until = self.now + LEASE_S
        assert claim.attempt == model.attempt
        assert [each.id for each in claim.checkpoints] == [row.id for row in reversed(model.saved)]
        self.claims[claim.job_id, claim.attempt] = claim
        return at_the_newest(model, claim.job_id)

    @rule(run=runs, then_saves=st.booleans())
    def ends_an_epoch(self, run: Run, then_saves: bool) -> None:
        run.epoch, run.step = run.epoch + 1, 0
        saved = [self.checkpoint(run)] if then_saves else []
        if self.tells(run, [STARTED, an_epoch(run.epoch, best=True), *saved]) is not None:
            self.models[run.job_id].epoch_ends(run.epoch)
            self.saves(run, saved)

    @rule(run=runs)
    def saves_in_the_middle(self, run: Run) -> None:
        run.step += 1
        saved = [self.checkpoint(run)]
        if self.tells(run, [Progress(run.epoch + 1, 9, run.step, 9), *saved]) is not None:
            self.saves(run, saved)

    @rule(run=runs)
    def saves_where_it_stands(self, run: Run) -> None:
        """As a run does that is asked to stop before its first step."""
        if run.last:
            return
        saved = [self.checkpoint(run)]
        if self.tells(run, [*saved, Stopped()]) is not None:
            self.saves(run, saved)

    def checkpoint(self, run: Run) -> RunEvent:
        claim = self.claims[run.job_id, run.attempt]
        return a_checkpoint(claim, run.epoch, run.step, id=f"ckpt_{next(self.numbers):06d}")

    def saves(self, run: Run, told: Sequence[RunEvent]) -> None:
        for event in told:
            self.models[run.job_id].saves(Saved(run.attempt, run.epoch, run.step, event.checkpoint.id))  # type: ignore[union-attr]

    @rule(run=runs)
    def says_something(self, run: Run) -> None:
        self.tells(run, [Logged(("line",)), Noticed("slow", "It is slow.", {})])

    @rule(run=runs)
    def is_told_twice(self, run: Run) -> None:
        """A batch of epochs and checkpoints whose commit got no answer comes again."""
        known = [event for event in run.last if not isinstance(event, (Logged, Noticed)) and event is not STARTED]
        self.tells(run, known)  # type: ignore[arg-type]

    @rule(run=runs)
    def finishes(self, run: Run) -> None:
        if self.tells(run, [FINISHED]) is not None:
            self.models[run.job_id].goes(Status.SUCCEEDED, Reason.COMPLETED)

    @rule(run=runs, reason=st.sampled_from(DEATHS), way=st.sampled_from(["record", "release"]))
    def dies(self, run: Run, reason: Reason, way: str) -> None:
        claim, last = self.claims[run.job_id, run.attempt], failed(reason)

        def act() -> Status:
            return self.store.record(claim, [last]) if way == "record" else self.store.release(claim, error=last.error)

        if not self.holds(run):
            with pytest.raises(ClaimLost):
                act()
            return
        assert act() is self.models[run.job_id].dies(reason, self.now)

    @rule(run=runs, reason=st.sampled_from([None, Reason.WORKER_DRAINED]))
    def gives_back(self, run: Run, reason: Reason | None) -> None:
        claim = self.claims[run.job_id, run.attempt]
        if not self.holds(run):
            with pytest.raises(ClaimLost):
                self.store.release(claim, reason=reason)
            return
        assert self.store.release(claim, reason=reason) is self.models[run.job_id].stops(reason)

    @rule(run=runs)
    def beats(self, run: Run) -> None:
        """Also for a claim that is over, which changes nothing."""
        self.store.beat(a_worker(), [(self.claims[run.job_id, run.attempt], 1.0)])
        if self.holds(run):
            self.models[run.job_id].lease_until = self.now + LEASE_S

    def tells(self, run: Run, events: list[RunEvent]) -> Status | None:
        run.last = tuple(events)
        claim = self.claims[run.job_id, run.attempt]
        if self.holds(run):
            return self.store.record(claim, events)
        with pytest.raises(ClaimLost):
            self.store.record(claim, events)
        return None

    def holds(self, run: Run) -> bool:
        return run.job_id in self.models and self.models[run.job_id].holds(run)

    # What time does.

    @rule(seconds=st.sampled_from([1, 5, LEASE_S + 1, 70]))
    def time_passes(self, seconds: int) -> None:
        self.clock.passes(seconds)

    @rule(has_space=st.booleans())
    def sweep(self, has_space: bool) -> None:
        now, models = self.now, self.models
        lost = {key for key, model in models.items() if model.status in HELD and model.lease_until < now}
        full = {key for key, model in models.items() if model.reason is Reason.STORAGE_FULL and model.due(now)}
        again = {key for key in full if has_space and models[key].status is Status.PAUSED}
        assert set(self.store.sweep(has_space=has_space)) == lost | again
        for key in lost:
            models[key].loses_its_worker()
        for key in again:
            models[key].goes(Status.QUEUED, None)

    @rule()
    def recover(self) -> None:
        held = {key for key, model in self.models.items() if model.status in HELD}
        assert set(self.store.recover()) == held
        for key in held:
            self.models[key].loses_its_worker()
        for model in self.models.values():
            model.not_before = None

    # What must be true at every moment.

    @invariant()
    def every_job_stands_where_the_model_says(self) -> None:
        for key, model in self.models.items():
            job = self.store.job(key)
            error = job.error.code if job.error is not None else None
            assert (job.status, job.status_reason, error) == (model.status, model.reason, model.error)
            assert job.attempt == model.attempt
            assert [row.epoch for row in self.store.epochs(key)] == list(range(model.first + 1, model.last + 1))
            assert [row.id for row in self.store.checkpoints(key)] == [row.id for row in reversed(model.saved)]
        for key in self.deleted:
            with pytest.raises(Gone):
                self.store.job(key)

    @invariant()
    def an_ended_job_never_changes(self) -> None:
        for key, model in self.models.items():
            if model.status.ended:
                events = len(self.store.events(key))
                assert self.ended.setdefault(key, (self.store.job(key), events)) == (self.store.job(key), events)

    @invariant()
    def every_log_is_gapless_tells_each_epoch_once_and_only_allowed_changes(self) -> None:
        for key, model in self.models.items():
            job, events = self.store.job(key), self.store.events(key)
            assert [event.seq for event in events] == list(range(1, job.version + 1))
            epochs = [json.loads(event.data)["epoch"] for event in events if event.type.value == "epoch"]
            assert epochs == list(range(model.first + 1, model.last + 1))
            statuses = [change.status for change in job.transitions]
            assert all(before not in ENDED for before, _ in pairwise(statuses))
            assert [event.type.value for event in events].count("end") == job.status.ended

    @invariant()
    def workers_hold_what_they_claimed_and_counts_add_up(self) -> None:
        held = {**self.store.held("wk_one"), **self.store.held("wk_two")}
        models = {key: model for key, model in self.models.items() if model.status in HELD}
        assert held == {key: Held(model.attempt, model.status, model.forced) for key, model in models.items()}
        statuses = [model.status for model in self.models.values()]
        assert self.store.counts() == {status: statuses.count(status) for status in Status}
        assert all(model.failures <= MAX_ATTEMPTS and model.lost <= MAX_LOST for model in self.models.values())


def replace_priority(model: Model, priority: int) -> Model:
    model.priority = priority
    return model


def on_sqlite(template: Path) -> Bare:
    def bare() -> tuple[str, Callable[[], None]]:
        folder = tempfile.TemporaryDirectory()
        shutil.copy(template, Path(folder.name) / "trainwire.db")
        return f"sqlite:///{folder.name}/trainwire.db", folder.cleanup

    return bare


def check(bare: Bare, *, examples: int, steps: int) -> None:
    print(f"TRAINWIRE_TEST_SEED={SEED}")
    given = effort(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch.object(verdicts, "JITTER", 0.0):
        run_state_machine_as_test(seed(SEED)(lambda: Life(bare)), settings=given)  # type: ignore[arg-type]  # a factory


def test_any_order_of_events_keeps_every_promise(sqlite_template: Path) -> None:
    check(on_sqlite(sqlite_template), examples=10, steps=50)


def test_any_order_of_events_keeps_every_promise_on_postgres(postgres_url: str) -> None:
    check(lambda: (emptied(postgres_url), lambda: None), examples=3, steps=30)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_ten_thousand_steps_keep_every_promise(sqlite_template: Path) -> None:
    check(on_sqlite(sqlite_template), examples=200, steps=50)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_two_thousand_steps_keep_every_promise_on_postgres(postgres_url: str) -> None:
    check(lambda: (emptied(postgres_url), lambda: None), examples=40, steps=50)
