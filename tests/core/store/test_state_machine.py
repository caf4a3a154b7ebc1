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
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, seed
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from core.errors import ClaimLost, Gone, SpecRefused, WrongStatus
from core.events import Checkpointed, RunEvent, Stopped
from core.job import HELD, Claim, EventType, Job, Progress, Reason, Status
from core.store import Fork, Held, Retry, Wish, verdicts
from tests.core.store.life_model import (
    BACKOFF_S,
    LEASE_S,
    MAX_ATTEMPTS,
    MAX_LOST,
    NEXT,
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
    steps = 0

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
        try:
            for key, (job, events) in self.ended.items():
                assert (self.store.job(key), len(self.store.events(key))) == (job, events), "an ended job changed"
        finally:
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

    @rule(job_id=jobs, verb=st.sampled_from(["pause", "resume", "pause", "resume", "cancel", "force", "delete"]))
    def acts(self, job_id: str, verb: str) -> None:
        if verb == "delete":
            self.delete(job_id)
            return
        act = partial(self.store.cancel, force=True) if verb == "force" else getattr(self.store, verb)
        if job_id in self.deleted:
            with pytest.raises(Gone):
                act(job_id)
            return
        model = self.models[job_id]
        if not model.allows(verb):
            with pytest.raises(WrongStatus):
                act(job_id)
            return
        model.does(verb)
        assert act(job_id).status is model.status

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
            return self.refused(wish, Gone if model is None else WrongStatus)
        return self.made(wish, model.retried(from_start=from_start))

    @rule(target=jobs, job_id=jobs, epoch=st.none() | st.integers(0, 4))
    def fork(self, job_id: str, epoch: int | None) -> object:
        wish = Fork(job_id, epoch, a_spec())
        model = self.models.get(job_id)
        if model is None:
            return self.refused(wish, Gone)
        at = model.last if epoch is None else epoch
        if not model.first <= at <= model.last:
            return self.refused(wish, SpecRefused)
        return self.made(wish, model.forked(at))

    def made(self, wish: Wish, model: Model) -> str:
        made = self.store.create(wish, told=told)
        self.models[made.job_id] = model
        return made.job_id

    def refused(self, wish: Wish, error: type[Exception]) -> object:
        with pytest.raises(error):
            self.store.create(wish, told=told)
        return multiple()

    # What workers do.

    @rule(target=runs, worker=st.sampled_from(["one", "two"]), epochs=st.integers(0, 2))
    def claim(self, worker: str, epochs: int) -> object:
        """Claim the best job and compute its first epochs, the last with a checkpoint."""
        claim = self.store.claim(a_worker(worker))
        waiting = [key for key, model in self.models.items() if model.status is Status.QUEUED and model.due(self.now)]
        if claim is None:
            assert waiting == []
            return multiple()
        assert claim.job_id == min(waiting, key=lambda key: (-self.models[key].priority, key))
        model = self.models[claim.job_id]
        model.claimed(self.now)
        assert claim.attempt == model.attempt
        assert [each.id for each in claim.checkpoints] == [row.id for row in reversed(model.saved)]
        self.claims[claim.job_id, claim.attempt] = claim
        run = at_the_newest(model, claim.job_id)
        for number in range(1, epochs + 1):
            self.ends_an_epoch(run, saves=number == epochs)
        return run

    @rule(run=runs, saves=st.booleans())
    def ends_an_epoch(self, run: Run, saves: bool) -> None:
        run.epoch, run.step = run.epoch + 1, 0
        saved = [self.checkpoint(run)] if saves else []
        if self.tells(run, [STARTED, an_epoch(run.epoch, best=True), *saved]):
            self.models[run.job_id].epoch_ends(run.epoch)
            self.saved(run, saved)

    @rule(run=runs, moves=st.booleans())
    def saves(self, run: Run, moves: bool) -> None:
        """In the middle of an epoch; or where it began, as a run does that is asked to stop before its first step."""
        if not moves and run.last:
            return
        run.step += moves
        saved = [self.checkpoint(run)]
        if self.tells(run, [Progress(run.epoch + 1, 9, run.step, 9), *saved, Stopped()]):
            self.saved(run, saved)

    def checkpoint(self, run: Run) -> Checkpointed:
        claim = self.claims[run.job_id, run.attempt]
        return a_checkpoint(claim, run.epoch, run.step, id=f"ckpt_{next(self.numbers):06d}")

    def saved(self, run: Run, told: list[Checkpointed]) -> None:
        for event in told:
            self.models[run.job_id].saves(Saved(run.attempt, run.epoch, run.step, event.checkpoint.id))

    @rule(run=runs)
    def is_told_twice(self, run: Run) -> None:
        """The last batch of epochs and checkpoints comes again: nothing new."""
        self.tells(run, [event for event in run.last if event is not STARTED])

    @rule(run=runs, how=st.sampled_from(["finished", "drained", "stopped", *DEATHS]))
    def ends(self, run: Run, how: str) -> None:
        claim, holds = self.claims[run.job_id, run.attempt], self.holds(run)
        if how == "finished":
            act, after = partial(self.store.record, claim, [FINISHED]), partial(self.succeeds, run)
        elif isinstance(how, Reason):
            last = failed(how)
            by_itself = self.now % 2 == 0
            record, release = partial(self.store.record, claim, [last]), partial(self.store.release, claim)
            act = record if by_itself else partial(release, error=last.error)
            after = partial(self.dies, run, how)
        else:
            reason = Reason.WORKER_DRAINED if how == "drained" else None
            act, after = partial(self.store.release, claim, reason=reason), partial(self.stops, run, reason)
        if holds:
            assert act() is after()
            return
        with pytest.raises(ClaimLost):
            act()

    def succeeds(self, run: Run) -> Status:
        return self.models[run.job_id].goes(Status.SUCCEEDED, Reason.COMPLETED)

    def dies(self, run: Run, reason: Reason) -> Status:
        return self.models[run.job_id].dies(reason, self.now)

    def stops(self, run: Run, reason: Reason | None) -> Status:
        return self.models[run.job_id].stops(reason)

    @rule(run=runs)
    def beats(self, run: Run) -> None:
        """Also for a claim that is over, which changes nothing."""
        self.store.beat(a_worker(), [(self.claims[run.job_id, run.attempt], 1.0)])
        if self.holds(run):
            self.models[run.job_id].lease_until = self.now + LEASE_S

    def tells(self, run: Run, events: Sequence[RunEvent]) -> bool:
        """Whether the run still holds its job: else nothing is taken of what it tells."""
        run.last = tuple(events)
        claim = self.claims[run.job_id, run.attempt]
        if self.holds(run):
            assert self.store.record(claim, events) is self.models[run.job_id].status
            return True
        with pytest.raises(ClaimLost):
            self.store.record(claim, events)
        return False

    def holds(self, run: Run) -> bool:
        return run.job_id in self.models and self.models[run.job_id].holds(run)

    # What time does.

    @rule(seconds=st.sampled_from([0, 1, 2, 5, LEASE_S + 1, LEASE_S + 1, 70]), has_space=st.booleans())
    def time_passes_and_somebody_sweeps(self, seconds: int, has_space: bool) -> None:
        self.clock.passes(seconds)
        now, models = self.now, self.models
        lost = {key for key, model in models.items() if model.status in HELD and model.lease_until < now}
        again = {key for key, model in models.items() if has_space and model.waits_for_space() and model.due(now)}
        assert set(self.store.sweep(has_space=has_space)) == lost | again
        for key in lost:
            models[key].loses_its_worker()
        for key in again:
            models[key].goes(Status.QUEUED, None)

    @rule()
    def the_service_starts_again(self) -> None:
        held = {key for key, model in self.models.items() if model.status in HELD}
        assert set(self.store.recover()) == held
        for key in held:
            self.models[key].loses_its_worker()
        for model in self.models.values():
            model.not_before = None

    # What must be true at every moment.

    @invariant()
    def every_job_stands_where_the_model_says(self) -> None:
        Life.steps += 1
        for key, model in self.models.items():
            if key not in self.ended:
                self.look_at(key, model)
        for key in self.deleted:
            with pytest.raises(Gone):
                self.store.job(key)

    def look_at(self, key: str, model: Model) -> None:
        job, events = self.store.job(key), self.store.events(key)
        error = job.error.code if job.error is not None else None
        assert (job.status, job.status_reason, error) == (model.status, model.reason, model.error)
        assert job.attempt == model.attempt
        own = list(range(model.first + 1, model.last + 1))
        assert [row.epoch for row in self.store.epochs(key)] == own
        assert [json.loads(event.data)["epoch"] for event in events if event.type is EventType.EPOCH] == own
        assert [row.id for row in self.store.checkpoints(key)] == [row.id for row in reversed(model.saved)]
        assert [event.seq for event in events] == list(range(1, job.version + 1))
        assert [event.type for event in events].count(EventType.END) == job.status.ended
        statuses = [change.status for change in job.transitions]
        assert all(after in NEXT[before] for before, after in pairwise(statuses))
        if job.status.ended:
            self.ended[key] = (job, len(events))

    @invariant()
    def workers_hold_what_they_claimed_and_counts_add_up(self) -> None:
        held = {**self.store.held("wk_one"), **self.store.held("wk_two")}
        models = {key: model for key, model in self.models.items() if model.status in HELD}
        assert held == {key: Held(model.attempt, model.status, model.forced) for key, model in models.items()}
        statuses = [model.status for model in self.models.values()]
        assert self.store.counts() == {status: statuses.count(status) for status in Status}


def on_sqlite(template: Path) -> Bare:
    def bare() -> tuple[str, Callable[[], None]]:
        folder = tempfile.TemporaryDirectory()
        shutil.copy(template, Path(folder.name) / "trainwire.db")
        return f"sqlite:///{folder.name}/trainwire.db", folder.cleanup

    return bare


def check(bare: Bare, *, steps: int) -> None:
    """Lives of up to 60 steps until there were `steps`, each round from the next seed."""
    Life.steps, round_ = 0, 0
    while Life.steps < steps:
        print(f"TRAINWIRE_TEST_SEED={SEED + round_}")
        live(bare, SEED + round_)
        round_ += 1


def live(bare: Bare, number: int) -> None:
    given = effort(
        max_examples=4,
        stateful_step_count=60,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch.object(verdicts, "JITTER", 0.0):
        run_state_machine_as_test(seed(number)(lambda: Life(bare)), settings=given)  # type: ignore[arg-type]  # a factory


def test_any_order_of_events_keeps_every_promise(sqlite_template: Path) -> None:
    check(on_sqlite(sqlite_template), steps=500)


def test_any_order_of_events_keeps_every_promise_on_postgres(postgres_url: str) -> None:
    check(lambda: (emptied(postgres_url), lambda: None), steps=100)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_ten_thousand_steps_keep_every_promise(sqlite_template: Path) -> None:
    check(on_sqlite(sqlite_template), steps=10_000)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_two_thousand_steps_keep_every_promise_on_postgres(postgres_url: str) -> None:
    check(lambda: (emptied(postgres_url), lambda: None), steps=2000)
