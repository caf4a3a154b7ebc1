"""What a run takes, measured: its tensors to the byte, and a peak that follows what it really held."""

from __future__ import annotations

import multiprocessing
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from core.events import Finished, Measured, Started
from core.loop import gauge, pace
from core.loop.assembly import make_model, make_optimizer
from core.loop.averaging import Average
from core.loop.gauge import Gauge
from core.loop.run import Run
from core.spec import parse_spec
from core.usage import Memory
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import Bench

JOB: dict[str, Any] = {"dataset": "digits", "model": {"name": "mlp", "hidden": [64]}, "epochs": 1}
WEIGHTS = 4 * (64 * 64 + 64 + 64 * 10 + 10)
COUNTS = 4 * 4
"""adam counts its steps for each of the four tensors of weights."""


@pytest.mark.parametrize(
    ("optimizer", "times", "more"),
    [("sgd", 0, 0), ({"name": "sgd", "momentum": 0.9}, 1, 0), ("adam", 2, COUNTS)],
    ids=["sgd", "sgd with momentum", "adam"],
)
def test_sgd_keeps_nothing_momentum_a_number_for_each_weight_and_adam_two(
    train_job: TrainJob, optimizer: Any, times: int, more: int
) -> None:
    told = train_job(**JOB, optimizer=optimizer)
    memory = told.finished.memory
    assert memory is not None
    assert (memory.weights_bytes, memory.gradients_bytes) == (WEIGHTS, WEIGHTS)
    assert memory.optimizer_bytes == times * WEIGHTS + more
    assert told.card["memory"]["optimizer_bytes"] == memory.optimizer_bytes


def test_the_average_of_the_weights_counts_as_weights(train_job: TrainJob) -> None:
    memory = train_job(**JOB, ema={"decay": 0.9}).finished.memory
    assert memory is not None
    assert (memory.weights_bytes, memory.gradients_bytes) == (2 * WEIGHTS, WEIGHTS)


def test_nested_state_counts_too(train_job: TrainJob) -> None:
    memory = train_job(**JOB, optimizer={"name": "lbfgs", "history_size": 3}, batch_size=1438).finished.memory
    assert memory is not None
    assert memory.optimizer_bytes > 6 * WEIGHTS


def test_memory_is_told_behind_the_first_steps_and_again_only_when_it_changed(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "INTERVAL_S", 0.0)
    monkeypatch.setattr(gauge, "_held", lambda _, *, peak: 2 if peak else 1)
    told = train_job(**JOB)
    [measured] = [event for event in told.events if isinstance(event, Measured)]
    assert measured.memory == Memory(WEIGHTS, WEIGHTS, 2 * WEIGHTS + COUNTS, peak_bytes=2, baseline_bytes=1)
    assert told.events.index(measured) == 1


def test_all_folds_are_measured_by_one_gauge(train_job: TrainJob) -> None:
    memory = train_job(**JOB, split={"folds": 2}).finished.memory
    assert memory is not None
    assert (memory.gradients_bytes, memory.optimizer_bytes) == (WEIGHTS, 2 * WEIGHTS + COUNTS)
    assert 0 < memory.baseline_bytes <= memory.peak_bytes


@pytest.mark.parametrize("rounds", [{}, {"split": {"folds": 2}}, {"seeds": 2}], ids=["one", "folds", "seeds"])
def test_an_average_counts_at_the_end_too_and_what_is_frozen_has_no_gradient(
    train_job: TrainJob, rounds: dict[str, Any]
) -> None:
    memory = train_job(**JOB, **rounds, ema={"decay": 0.9}, freeze=["output.bias"]).finished.memory
    assert memory is not None
    assert (memory.weights_bytes, memory.gradients_bytes) == (2 * WEIGHTS, WEIGHTS - 4 * 10)


def test_a_run_that_goes_on_behind_its_last_step_tells_the_same(bench: Bench) -> None:
    first = bench.attempt({**JOB, "checkpoints": {"every_epochs": 1}})
    again = bench.attempt(JOB, first.checkpoints[-1])
    assert again.every(Started)[0].resumed
    told = [one.every(Finished)[0].memory for one in (first, again)]
    assert [memory and (memory.gradients_bytes, memory.optimizer_bytes) for memory in told] == 2 * [
        (WEIGHTS, 2 * WEIGHTS + COUNTS)
    ]


def _hold_and_let_go(told: Any, size: int) -> None:
    meter = Gauge(torch.device("cpu"))
    torch.ones(size // 4)
    spec = parse_spec(JOB)
    model = make_model(spec)
    run = SimpleNamespace(model=model, average=Average(), optimizer=make_optimizer(spec, model))
    memory = meter.memory(cast(Run, run))
    told.send((memory.baseline_bytes, memory.peak_bytes))


def test_the_peak_of_a_forked_process_is_its_own_and_stays_when_memory_was_let_go() -> None:
    here, there = multiprocessing.Pipe(duplex=False)
    size = 200_000_000
    process = multiprocessing.get_context("forkserver").Process(target=_hold_and_let_go, args=(there, size))
    process.start()
    baseline, peak = here.recv()
    process.join()
    assert size <= peak - baseline < 1.5 * size
    assert peak < 1.5e9
