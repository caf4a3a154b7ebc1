"""The life of jobs under any order of events: what users, workers, deaths and sweeps do, against a small model.

Another order of events: `TRAINWIRE_TEST_SEED=7 pytest tests/core/store/test_state_machine.py`.
"""

from __future__ import annotations

import json
import os
import random
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
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from core.errors import ClaimLost, Gone, SpecRefused, WrongStatus
from core.events import Checkpointed, RunEvent, Stopped
from core.job import HELD, EventType, Job, Progress, Reason, Status
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

MOST_JOBS = 3
FORKED = 40
OFTEN = ("pause", "resume", "pause", "resume", "pause", "resume", "cancel", "force")
PAUSES = (1, 2, 5, LEASE_S + 1, 70)
OF_NOBODY = ("submits", "claims", "claims", "claims", "time_passes", "time_passes", "starts_again")
OF_JOBS = ("acts", "acts", "acts", "deletes", "retries", "forks", "forks")
WORKS = ("ends_an_epoch", "ends_an_epoch", "saves", "saves", "saves", "is_told_twice", "beats")
OF_RUNS = (*WORKS, "finishes", "dies", "dies", "dies", "stops")
WHAT = (*OF_NOBODY, *OF_JOBS, *OF_RUNS)
"""What may happen, the more often the likelier."""
SEED = int(os.environ.get("TRAINWIRE_TEST_SEED", "0"))
LIMITS = {"lease_s": LEASE_S, "backoff_s": BACKOFF_S, "max_attempts": MAX_ATTEMPTS, "max_lost_workers": MAX_LOST}
DEATHS = [
    Reason.KILLED_BY_SIGNAL,
    Reason.OUT_OF_MEMORY,
    Reason.STALLED,
    Reason.STORAGE_FULL,
    Reason.KILLED_BY_SIGNAL,
    Reason.DIVERGED,
]
Bare = Callable[[], tuple[str, Callable[[], None]]]
"""Makes a fresh database: its URL, and how to be rid of it."""
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Life(RuleBasedStateMachine):
    steps = 0

    def __init__(self, bare: Bare) -> None:
        super().__init__()
        url, self.rid = bare()
        self.clock = HandClock()
        self.store = timed(url, self.clock, **LIMITS)
        self.ids: list[str] = []
        self.models: dict[str, Model] = {}
        self.deleted: set[str] = set()
        self.ended: dict[str, tuple[Job, int]] = {}
        self.runs: list[Run] = []
        self.numbers = count(1)
        self.moments = count()

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

    @rule(chance=st.integers(0, 2**32 - 1))
    def something_happens(self, chance: int) -> None:
        """One rule for all, and its own dice: hypothesis leaves rules out of a life, or repeats one all along."""
        dice = random.Random(f"{chance} {next(self.moments)}")
        what, whose, how = dice.choice(WHAT), dice.randrange(MOST_JOBS), dice.randrange(60)
        if what in OF_JOBS and self.ids:
            getattr(self, what)(self.ids[-1 - whose % len(self.ids)], how)
        elif what in OF_RUNS and self.runs:
            getattr(self, what)(self.runs[-1 - whose % len(self.runs)], how)
        elif what in OF_NOBODY:
            getattr(self, what)(how)

    # What clients do.

    def submits(self, how: int) -> None:
        if len(self.models) < MOST_JOBS:
            job = self.store.add(a_spec(priority=how % 2))
            self.knows(job.id, Model(priority=how % 2))

    def knows(self, job_id: str, model: Model) -> None:
        self.ids.append(job_id)
        self.models[job_id] = model

    def acts(self, job_id: str, how: int) -> None:
        verb = OFTEN[how % len(OFTEN)]
        act = partial(self.store.cancel, force=True) if verb == "force" else getattr(self.store, verb)
        if job_id in self.deleted:
            with pytest.raises(Gone):
                act(job_id)
        elif not self.models[job_id].allows(verb):
            with pytest.raises(WrongStatus):
                act(job_id)
        else:
            self.models[job_id].does(verb)
            assert act(job_id).status is self.models[job_id].status

    def deletes(self, job_id: str, how: int) -> None:  # noqa: ARG002  one signature for all
        if job_id in self.models and not self.models[job_id].status.ended:
            with pytest.raises(WrongStatus):
                self.store.delete(job_id)
            return
        self.store.delete(job_id)
        self.models.pop(job_id, None)
        self.ended.pop(job_id, None)
        self.deleted.add(job_id)

    def retries(self, job_id: str, how: int) -> None:
        wish = Retry(job_id, from_start=how % 2 == 1)
        model = self.models.get(job_id)
        if model is None or model.status not in {Status.FAILED, Status.CANCELLED}:
            self.is_refused(wish, Gone if model is None else WrongStatus)
        else:
            self.makes(wish, model.retried(from_start=wish.from_start))

    def forks(self, job_id: str, how: int) -> None:
        wish = Fork(job_id, None if how > FORKED else how % 5, a_spec())
        model = self.models.get(job_id)
        if model is None:
            self.is_refused(wish, Gone)
            return
        at = model.last if wish.epoch is None else wish.epoch
        if model.first <= at <= model.last:
            self.makes(wish, model.forked(at))
        else:
            self.is_refused(wish, SpecRefused)

    def makes(self, wish: Wish, model: Model) -> None:
        if len(self.models) < MOST_JOBS:
            self.knows(self.store.create(wish, told=told).job_id, model)

    def is_refused(self, wish: Wish, error: type[Exception]) -> None:
        with pytest.raises(error):
            self.store.create(wish, told=told)

    # What workers do.

    def claims(self, how: int) -> None:
        """Claim the best job and compute its first epochs, the last with a checkpoint."""
        claim = self.store.claim(a_worker(("one", "two")[how % 2]))
        waiting = [key for key, model in self.models.items() if model.status is Status.QUEUED and model.due(self.now)]
        if claim is None:
            assert waiting == []
            return
        assert claim.job_id == min(waiting, key=lambda key: (-self.models[key].priority, key))
        model = self.models[claim.job_id]
        model.claimed(self.now)
        assert claim.attempt == model.attempt
        assert [each.id for each in claim.checkpoints] == [row.id for row in reversed(model.saved)]
        run = model.begun(claim)
        self.runs.append(run)
        epochs = (0, 0, 1, 2)[how // 2 % 4]
        for number in range(1, epochs + 1):
            self.ends_an_epoch(run, number == epochs)

    def ends_an_epoch(self, run: Run, how: int) -> None:
        run.epoch, run.step = run.epoch + 1, 0
        saved = [self.checkpoint(run)] if how % 2 else []
        if self.tells(run, [STARTED, an_epoch(run.epoch, best=True), *saved]):
            self.models[run.job_id].epoch_ends(run.epoch)
            self.saved(run, saved)

    def saves(self, run: Run, how: int) -> None:
        """In the middle of an epoch; or where it began, as a run does that is asked to stop before its first step."""
        moves = how % 3 > 0
        if not moves and run.last:
            return
        run.step += moves
        saved = [self.checkpoint(run)]
        if self.tells(run, [Progress(run.epoch + 1, 9, run.step, 9), *saved, Stopped()]):
            self.saved(run, saved)

    def checkpoint(self, run: Run) -> Checkpointed:
        return a_checkpoint(run.claim, run.epoch, run.step, id=f"ckpt_{next(self.numbers):06d}")

    def saved(self, run: Run, told: list[Checkpointed]) -> None:
        for event in told:
            self.models[run.job_id].saves(Saved(run.attempt, run.epoch, run.step, event.checkpoint.id))

    def is_told_twice(self, run: Run, how: int) -> None:  # noqa: ARG002  one signature for all
        """The last batch of epochs and checkpoints comes again: nothing new."""
        self.tells(run, [event for event in run.last if event is not STARTED])

    def finishes(self, run: Run, how: int) -> None:  # noqa: ARG002  one signature for all
        if self.tells(run, [FINISHED], leads_to=Status.SUCCEEDED):
            self.models[run.job_id].goes(Status.SUCCEEDED, Reason.COMPLETED)

    def dies(self, run: Run, how: int) -> None:
        last = failed(DEATHS[how % len(DEATHS)])
        record = partial(self.store.record, run.claim, [last])
        release = partial(self.store.release, run.claim, error=last.error)
        act = record if how // len(DEATHS) % 2 else release
        if self.is_refused_if_late(run, act):
            return
        assert self.models[run.job_id].dies(last.reason, self.now) is act()

    def stops(self, run: Run, how: int) -> None:
        reason = Reason.WORKER_DRAINED if how % 2 else None
        act = partial(self.store.release, run.claim, reason=reason)
        if self.is_refused_if_late(run, act):
            return
        assert act() is self.models[run.job_id].stops(reason)

    def beats(self, run: Run, how: int) -> None:
        """Also for a claim that is over, which changes nothing."""
        self.store.beat(a_worker(), [(run.claim, float(how))])
        if self.holds(run):
            self.models[run.job_id].lease_until = self.now + LEASE_S

    def tells(self, run: Run, events: Sequence[RunEvent], *, leads_to: Status | None = None) -> bool:
        """Whether the run still holds its job: else nothing is taken of what it tells."""
        run.last = tuple(events)
        act = partial(self.store.record, run.claim, events)
        if self.is_refused_if_late(run, act):
            return False
        assert act() is (leads_to or self.models[run.job_id].status)
        return True

    def is_refused_if_late(self, run: Run, act: Callable[[], Status]) -> bool:
        if self.holds(run):
            return False
        with pytest.raises(ClaimLost):
            act()
        return True

    def holds(self, run: Run) -> bool:
        return run.job_id in self.models and self.models[run.job_id].holds(run)

    # What time does.

    def time_passes(self, how: int) -> None:
        """And somebody sweeps."""
        self.clock.passes(PAUSES[how % len(PAUSES)])
        now, models, has_space = self.now, self.models, how % 4 > 0
        lost = {key for key, model in models.items() if model.status in HELD and model.lease_until < now}
        again = {key for key, model in models.items() if has_space and model.waits_for_space() and model.due(now)}
        assert set(self.store.sweep(has_space=has_space)) == lost | again
        for key in lost:
            models[key].loses_its_worker()
        for key in again:
            models[key].goes(Status.QUEUED, None)

    def starts_again(self, how: int) -> None:  # noqa: ARG002  one signature for all
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


def check(bare: Bare, *, steps: int, lives: int = 5) -> None:
    """Lives of 100 steps until there were `steps`, each round from the next seed."""
    Life.steps, round_ = 0, 0
    while Life.steps < steps:
        print(f"TRAINWIRE_TEST_SEED={SEED + round_}")
        live(bare, SEED + round_, lives)
        round_ += 1


def live(bare: Bare, number: int, lives: int) -> None:
    given = effort(
        max_examples=lives,
        stateful_step_count=100,
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
    check(lambda: (emptied(postgres_url), lambda: None), steps=60, lives=1)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_ten_thousand_steps_keep_every_promise(sqlite_template: Path) -> None:
    check(on_sqlite(sqlite_template), steps=10_000)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_two_thousand_steps_keep_every_promise_on_postgres(postgres_url: str) -> None:
    check(lambda: (emptied(postgres_url), lambda: None), steps=2000)
