"""When checkpoints are taken, and when a run that is asked to stops."""

from __future__ import annotations

from typing import Any

import pytest

from core.checkpoint import Occasion
from core.errors import Diverged
from core.events import Checkpointed, EpochDone, Finished, Started, Stopped
from core.job import Reason
from core.loop import cadence, checkpoints, gauge, train
from core.loop.cadence import Cadence
from core.loop.step import take_step
from core.spec import parse_spec
from tests.core.loop.interrupting import After, Attempt, Bench

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": "linear",
    "optimizer": "sgd",
    "lr": 0.1,
    "batch_size": 40,
    "epochs": 4,
}


def job(**wishes: Any) -> dict[str, Any]:
    return {**JOB, "checkpoints": {"every_s": None, **wishes}}


def places(attempt: Attempt) -> list[tuple[int, int, Occasion]]:
    return [(one.epoch, one.step, one.occasion) for one in attempt.checkpoints]


class Clock:
    """A clock that goes on by `step_s` whenever somebody looks."""

    def __init__(self, step_s: float) -> None:
        self.now, self.step_s = 50.0, step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


@pytest.fixture
def by_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1.0)
    begin = Cadence.__init__
    monkeypatch.setattr(
        Cadence, "__init__", lambda self, run, *, folder, stop: begin(self, run, folder=folder, stop=stop, clock=clock)
    )


def test_with_0_seconds_every_step_is_kept_once(bench: Bench) -> None:
    told = bench.attempt(job(every_s=0))
    assert places(told)[:5] == [(*place, Occasion.TIME) for place in ((0, 1), (0, 2), (0, 3), (1, 0), (1, 1))]
    assert len(told.checkpoints) == 4 * 3 + 3


@pytest.mark.usefixtures("by_the_look")
def test_time_is_looked_at_behind_every_step(bench: Bench) -> None:
    told = bench.attempt(job(every_s=5))
    taken = [4 * epoch + step for epoch, step, _ in places(told)]  # an epoch's end is looked at as a step is
    assert taken == [4, 9, 14]
    assert {occasion for *_, occasion in places(told)} == {Occasion.TIME}


def test_without_a_time_and_without_a_wish_nothing_is_kept(bench: Bench) -> None:
    assert bench.attempt(job()).checkpoints == []


def test_a_run_without_a_folder_keeps_nothing(bench: Bench) -> None:
    events = list(train(parse_spec(job(every_s=0, every_epochs=1, keep_best=3)), folder=bench.root, cache=bench.cache))
    assert [type(event) for event in events] == [Started, *[EpochDone] * 4, Finished]


def test_epochs_are_kept_on_request_the_last_one_too(bench: Bench) -> None:
    assert places(bench.attempt(job(every_epochs=2))) == [(2, 0, Occasion.EPOCH), (4, 0, Occasion.EPOCH)]


def test_the_best_epochs_are_kept_on_request(bench: Bench) -> None:
    told = bench.attempt({**job(keep_best=2, monitor="val_accuracy"), "epochs": 12, "lr": 0.3})
    best: list[float] = []
    expected = []
    for row in told.rows:
        cost = -row.metrics["val_accuracy"]
        if len(best) < 2 or cost < max(best):
            best = sorted([*best, cost])[:2]
            expected.append((row.epoch, 0, Occasion.BEST))
    assert places(told) == expected
    assert 0 < len(expected) < 12


def test_one_place_is_kept_once_whatever_asks_for_it(bench: Bench) -> None:
    told = bench.attempt(job(every_s=0, every_epochs=1, keep_best=100))
    assert len({(epoch, step) for epoch, step, _ in places(told)}) == len(told.checkpoints)


def test_a_run_that_is_asked_to_stop_keeps_the_next_step_and_says_goodbye(bench: Bench) -> None:
    told = bench.attempt(job(), stop=After(3))
    assert [type(event) for event in told.events] == [Started, Checkpointed, Stopped]
    assert places(told) == [(0, 3, Occasion.STOP)]
    assert not told.weights.exists()


def test_a_stop_at_the_end_of_an_epoch_comes_behind_its_row(bench: Bench) -> None:
    told = bench.attempt(job(), stop=After(4))
    assert [type(event) for event in told.events] == [Started, EpochDone, Checkpointed, Stopped]
    assert places(told) == [(1, 0, Occasion.STOP)]


def test_a_stop_with_nothing_new_to_keep_keeps_nothing(bench: Bench) -> None:
    at_once = bench.attempt(job(), stop=After(0))
    assert [type(event) for event in at_once.events] == [Started, Stopped]
    kept = bench.attempt(job(every_s=0)).checkpoints[4]
    again = bench.attempt(job(), kept, stop=After(0))
    assert [type(event) for event in again.events] == [Started, Stopped]


def test_a_stop_without_a_folder_just_stops(bench: Bench) -> None:
    told = train(parse_spec(job()), folder=bench.root, cache=bench.cache, stop=After(2))
    assert [type(event) for event in told] == [Started, Stopped]


def test_a_run_that_is_over_finishes_although_it_is_asked_to_stop(bench: Bench) -> None:
    looks = 4 * 4  # at the start, behind each step and each epoch but the last
    assert bench.attempt(job(), stop=After(looks)).every(Finished)
    assert bench.attempt(job(), stop=After(looks - 1)).stopped


def test_a_run_that_diverges_is_not_kept_and_leaves_the_same_row(bench: Bench) -> None:
    wild = {"dataset": "diabetes", "model": "linear", "optimizer": "sgd", "lr": 1000, "epochs": 50}
    ends: list[Attempt] = []
    for wishes in ({"every_s": 0, "every_epochs": 1}, {"every_s": None}):
        ends.append(Attempt(bench.root))
        with pytest.raises(Diverged):
            bench.attempt({**wild, "checkpoints": wishes}, into=ends[-1].events)
    assert repr(ends[0].rows[-1].figures()) == repr(ends[1].rows[-1].figures())
    kept = [(one.epoch, one.step) for one in ends[0].checkpoints]
    assert max(kept) < (ends[0].rows[-1].epoch - 1, 12)
    assert len(ends[0].rows) == len(ends[1].rows)


@pytest.mark.parametrize("stopping", [None, {"monitor": "train_loss", "patience": 1, "min_delta": 10}])
def test_a_run_that_died_between_its_last_epoch_and_its_weights_only_writes_them(
    bench: Bench, stopping: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauge, "_held", lambda *_, **__: 1 << 20)  # else both find what this process came to hold
    fields = {**job(every_epochs=1), "early_stopping": stopping}
    first = bench.attempt(fields)
    again = bench.attempt(fields, first.checkpoints[-1])
    assert again.rows == []
    assert again.bits == first.bits[-1:]
    assert again.every(Finished)[0].reason is (Reason.CONVERGED if stopping else Reason.COMPLETED)
    assert (again.folder / "model.json").read_text() == (first.folder / "model.json").read_text()


def test_the_time_of_a_checkpoint_is_not_the_epochs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0)
    monkeypatch.setattr("core.loop.tally.time.perf_counter", clock)
    write = checkpoints.write

    def slow(*args: Any) -> Any:
        clock.now += 1000
        return write(*args)

    monkeypatch.setattr(cadence, "write", slow)
    monkeypatch.setattr("core.loop.epoch.take_step", passing(clock))
    rows = bench.attempt(job(every_s=0)).rows
    assert [row.epoch_s for row in rows] == [3.0] * 4


def passing(clock: Clock) -> Any:
    def step(*args: Any) -> Any:
        clock.now += 1
        return take_step(*args)

    return step
