"""A run is ended from outside when it is overdue, stands still or was asked to, and never for its watcher's sleep."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from core.events import Checkpointed, EpochDone, Failed, Logged, RunEvent, Started
from core.job import Claim, EpochRow, Progress, Reason, Status
from core.supervision.endings import Back, Exit, ending
from core.supervision.limits import stop_as_asked, stop_what_is_over
from core.supervision.runs import Run, Runs, Stop
from tests.core.test_keeping import checkpoint

EPOCH = EpochDone(EpochRow(1, 0.5, None, {}, 0.1, 0.01, 100.0, 0.0), best=True)
STARTED = Started("cpu", 1, 1, 1, 1, 0, 1, {})
GRACE_S = 1000.0


class ChildFake:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.kills = self.asked = self.pings = 0

    def kill(self) -> None:
        self.kills += 1

    def ask_stop(self) -> None:
        self.asked += 1

    def ping(self) -> None:
        self.pings += 1


def a_run(*told: RunEvent, run_s: float = 0.0, **spec: Any) -> tuple[Run, ChildFake]:
    run, child = Run(Claim("job", 1, spec, "auto", run_s=run_s)), ChildFake()
    run.attach(child)
    run.hear(told)
    return run, child


def look(run: Run, waited_s: float, grace_s: float = GRACE_S) -> Stop | None:
    stop_what_is_over([run], waited_s=waited_s, grace_s=grace_s)
    return run.stopped


@pytest.mark.parametrize("why", [Stop.CANCELLED, Stop.PAUSED, Stop.DRAINED, Stop.DEADLINE, Stop.CUT_OFF])
def test_a_run_is_asked_first_and_killed_when_it_is_late(why: Stop) -> None:
    run, child = a_run(EPOCH)
    run.stop(why)
    look(run, 0.0)
    assert (child.asked, child.kills) == (1, 0)
    look(run, 0.0, grace_s=0.0)
    assert child.kills == 1


@pytest.mark.parametrize("why", [Stop.FORCED, Stop.STALLED, Stop.BROKEN, Stop.LOST])
def test_what_cannot_wait_kills_also_a_run_that_was_asked(why: Stop) -> None:
    run, child = a_run(EPOCH)
    run.stop(Stop.CANCELLED)
    run.stop(why)
    assert (child.asked, child.kills) == (1, 1)


def test_a_run_that_has_done_nothing_yet_is_killed_at_once() -> None:
    run, child = a_run(Logged(("hello",)))
    run.stop(Stop.DRAINED)
    assert (child.asked, child.kills) == (0, 1)


@pytest.mark.parametrize(
    ("status", "forced", "stop"),
    [
        (Status.RUNNING, False, None),
        (Status.PAUSING, False, Stop.PAUSED),
        (Status.CANCELLING, False, Stop.CANCELLED),
        (Status.CANCELLING, True, Stop.FORCED),
    ],
)
def test_a_run_stops_as_its_job_was_asked_to(status: Status, forced: bool, stop: Stop | None) -> None:
    run, _ = a_run(EPOCH)
    stop_as_asked(run, status, forced=forced)
    assert run.stopped is stop


def test_a_run_is_stopped_once_however_often_the_database_says_so() -> None:
    run, child = a_run(EPOCH)
    for _ in range(3):
        stop_as_asked(run, Status.PAUSING)
    assert child.asked == 1


def test_a_deadline_counts_what_earlier_attempts_ran() -> None:
    run, child = a_run(EPOCH, run_s=100.0, deadline_s=100.0)
    assert look(run, 0.0) is Stop.DEADLINE
    assert child.asked == 1
    fresh, _ = a_run(EPOCH, deadline_s=100.0)
    assert look(fresh, 0.0) is None


def test_time_in_which_its_supervisor_stood_still_is_none_in_which_a_job_ran() -> None:
    run, _ = a_run(EPOCH, run_s=50.0, deadline_s=100.0)
    run._began -= 3600.0
    run.skip(3599.0)
    assert look(run, 0.0) is None
    assert 51.0 <= run.run_s() < 100.0


def test_a_run_that_began_in_the_meantime_has_not_run_less_than_before() -> None:
    run, _ = a_run(EPOCH, run_s=50.0)
    run.skip(3600.0)
    assert run.run_s() >= 50.0


@pytest.mark.parametrize("step", [Progress(1, 2, 3, 4), EPOCH])
def test_a_run_that_makes_no_step_has_stalled(step: RunEvent) -> None:
    run, child = a_run(step, stall_timeout_s=10.0)
    assert look(run, 9.0) is None
    run.hear([step])
    assert look(run, 9.0) is None
    run.hear([Logged(("still here",))])
    assert look(run, 2.0) is Stop.STALLED
    assert child.kills == 1


def test_before_the_first_step_a_stall_may_take_four_times_as_long() -> None:
    run, _ = a_run(STARTED, stall_timeout_s=10.0)
    assert look(run, 39.0) is None
    assert look(run, 2.0) is Stop.STALLED


def test_a_checkpoint_is_a_sign_of_life() -> None:
    run, _ = a_run(EPOCH, stall_timeout_s=10.0)
    look(run, 9.0)
    run.hear([Checkpointed(checkpoint("000001-00000000"))])
    assert look(run, 9.0) is None


def test_a_spec_of_an_earlier_version_has_the_usual_limits() -> None:
    run, _ = a_run(EPOCH)
    assert look(run, 899.0) is None
    assert look(run, 2.0) is Stop.STALLED


def test_a_process_that_drains_asks_every_run_and_at_last_kills_them() -> None:
    runs = Runs()
    run, child = a_run(EPOCH)
    runs.add(run)
    runs.close()
    assert (run.stopped, child.asked) == (Stop.DRAINED, 1)
    runs.leave()
    assert child.kills == 1
    assert run.leaving.is_set()


def test_a_run_that_comes_while_its_process_drains_is_stopped_and_its_child_never_works() -> None:
    runs = Runs()
    runs.close()
    run, child = Run(Claim("job", 1, {}, "auto")), ChildFake()
    runs.add(run)
    assert run.stopped is Stop.DRAINED
    run.attach(child)
    assert child.kills == 1


def test_a_run_that_was_lost_waits_for_no_database_and_one_that_was_asked_has_not_stalled() -> None:
    run, child = a_run(EPOCH, stall_timeout_s=1.0)
    run.stop(Stop.PAUSED)
    assert look(run, 9.0) is Stop.PAUSED
    assert (child.kills, run.leaving.is_set()) == (0, False)
    run.stop(Stop.LOST)
    assert run.leaving.is_set()


def test_claims_are_kept_with_the_seconds_that_their_jobs_ran() -> None:
    runs = Runs()
    run, _ = a_run(run_s=7.0)
    runs.add(run)
    [(claim, run_s)] = runs.held()
    assert claim is run.claim
    assert run_s >= 7.0
    run.stop(Stop.LOST)
    assert runs.held() == []


@pytest.mark.parametrize(
    ("stop", "exit_", "said", "reason"),
    [
        (Stop.DRAINED, Exit(0), True, Reason.WORKER_DRAINED),
        (Stop.DRAINED, Exit(-9), False, Reason.WORKER_DRAINED),
        (Stop.PAUSED, Exit(0), True, None),
        (Stop.CANCELLED, Exit(-9), False, None),
        (None, Exit(0), True, None),
    ],
)
def test_a_stopped_run_goes_back_without_penalty(
    stop: Stop | None, exit_: Exit, said: bool, reason: Reason | None
) -> None:
    run, _ = a_run(EPOCH)
    if stop:
        run.stop(stop)
    assert ending(run, exit_, lease_s=10.0, said_stopped=said) == Back(reason=reason)


@pytest.mark.parametrize(
    ("exit_", "code"),
    [
        (Exit(-9), Reason.KILLED_BY_SIGNAL),
        (Exit(-9, starved=True), Reason.OUT_OF_MEMORY),
        (Exit(-11), Reason.KILLED_BY_SIGNAL),
        (Exit(3), Reason.INTERNAL_ERROR),
        (Exit(None), Reason.INTERNAL_ERROR),
    ],
)
def test_a_death_is_told_by_its_cause(exit_: Exit, code: Reason) -> None:
    run, _ = a_run(EPOCH)
    back = ending(run, exit_, lease_s=10.0, said_stopped=False)
    assert isinstance(back, Back)
    assert back.error is not None
    assert back.error.code == code
    assert back.error.hint


def test_an_abort_below_a_limit_of_memory_is_told_by_the_limit() -> None:
    run, _ = a_run(EPOCH, resources={"memory_gb": 0.5})
    back = ending(run, Exit(-signal.SIGABRT), lease_s=10.0, said_stopped=False)
    assert isinstance(back, Back)
    assert back.error is not None
    assert (back.error.code, back.error.param) == (Reason.OUT_OF_MEMORY, "/resources/memory_gb")
    free = ending(a_run(EPOCH)[0], Exit(-signal.SIGABRT), lease_s=10.0, said_stopped=False)
    assert isinstance(free, Back)
    assert free.error is not None
    assert free.error.code is Reason.KILLED_BY_SIGNAL


def test_a_child_that_ended_because_we_were_silent_is_not_punished() -> None:
    run, child = a_run(EPOCH)
    run.ping()
    assert child.pings == 1
    assert ending(run, Exit(-signal.SIGKILL), lease_s=0.0, said_stopped=False) == Back(reason=Reason.LEASE_EXPIRED)


def test_a_deadline_and_a_stall_say_which_setting_to_change() -> None:
    overdue, _ = a_run(EPOCH, run_s=100.0, deadline_s=50.0)
    look(overdue, 0.0)
    failed = ending(overdue, Exit(0), lease_s=10.0, said_stopped=True)
    assert isinstance(failed, Failed)
    assert (failed.reason, failed.error.param) == (Reason.DEADLINE_EXCEEDED, "/deadline_s")
    assert "50" in failed.error.message
    stalled, _ = a_run(EPOCH, stall_timeout_s=5.0)
    look(stalled, 6.0)
    back = ending(stalled, Exit(-9), lease_s=10.0, said_stopped=False)
    assert isinstance(back, Back)
    assert back.error is not None
    assert (back.error.code, back.error.param) == (Reason.STALLED, "/stall_timeout_s")
