"""A trial: the real run for some steps, measured, of which nothing stays."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.loop import epoch, probe, tally
from core.loop.step import take_step
from core.spec import parse_spec

trying = importlib.import_module("core.loop.probe")
"""Its name in the package is the function's."""
BLOBS = {"name": "blobs", "samples": 2_000, "features": 8, "classes": 3}
JOB: dict[str, Any] = {"dataset": BLOBS, "model": {"name": "mlp", "hidden": [16]}, "batch_size": 100}
STEPS = 16


def test_a_small_run_is_tried_for_whole_epochs_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "ENOUGH_S", 0.2)
    trial = probe(parse_spec(JOB))
    assert trial.steps > 0
    assert trial.steps % STEPS in (0, STEPS - 1)
    assert 0 < trial.step_s < 0.1
    assert 0 < trial.sample_s < 0.01
    assert trial.startup_s > 0
    assert trial.device == "cpu"
    weights = 4 * (9 * 16 + 17 * 3)
    assert trial.memory.optimizer_bytes == 2 * weights + 16
    assert trial.memory.peak_bytes >= trial.memory.baseline_bytes
    assert list(tmp_path.iterdir()) == []


def test_a_long_epoch_is_left_when_the_time_is_over_and_a_piece_is_judged() -> None:
    trial = probe(parse_spec({**JOB, "batch_size": 1}), budget_s=0.05)
    assert 0 < trial.steps < 1_599
    assert trial.sample_s > 0


def test_steps_are_timed_apart_from_the_first_which_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, clock = itertools.count(), [0.0]

    def slow_at_first(*given: Any) -> Any:
        clock[0] += 5.0 if next(taken) == 0 else 0.5
        return take_step(*given)

    monkeypatch.setattr(epoch, "take_step", slow_at_first)
    for module in (trying, tally):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    trial = probe(parse_spec(JOB), budget_s=3.0)
    assert trial.step_s == pytest.approx(0.5)
    assert trial.startup_s == pytest.approx(4.5)
    assert trial.steps == 6


@pytest.mark.parametrize(
    "more",
    [
        {"split": {"validation": 0}},
        {"split": {"folds": 3}},
        {"batch_size": 1_600},
        {"on_out_of_memory": "accumulate"},
        {"optimizer": "lbfgs", "batch_size": 1_600},
        {"early_stopping": {}},
        {"loader": {"drop_last": True}, "batch_size": 1_000},
    ],
    ids=str,
)
def test_every_kind_of_run_can_be_tried(more: dict[str, Any]) -> None:
    trial = probe(parse_spec({**JOB, **more}), budget_s=0.3)
    assert trial.step_s > 0
    assert (trial.sample_s > 0) is ("validation" not in more.get("split", {}))


def test_a_run_that_diverges_is_timed_as_far_as_it_comes() -> None:
    trial = probe(parse_spec({"dataset": "diabetes", "model": "linear", "optimizer": "sgd", "lr": 1e6}))
    assert trial.step_s > 0
