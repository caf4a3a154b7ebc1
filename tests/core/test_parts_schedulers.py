"""Schedules: a warm-up by batch in front, then by batch or by epoch."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim import SGD, Optimizer

import core.parts  # noqa: F401
from core.registry import schedulers
from core.schedule import Schedule

EPOCHS, STEPS, LR = 6, 4, 0.1


def _made(choice: Any, *, epochs: int = EPOCHS, steps: int = STEPS) -> tuple[Optimizer, Schedule]:
    optimizer = SGD([Parameter(torch.ones(1))], lr=LR)
    schedule = schedulers.build(schedulers.choose(choice), optimizer, epochs, steps)
    assert isinstance(schedule, Schedule)
    return optimizer, schedule


def _rates(choice: Any, *, epochs: int = EPOCHS, steps: int = STEPS, costs: list[float] | None = None) -> list[float]:
    """The learning rate of every step of a run."""
    optimizer, schedule = _made(choice, epochs=epochs, steps=steps)
    seen = []
    for epoch in range(epochs):
        for _ in range(steps):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step_batch()
        schedule.step_epoch(costs[epoch] if costs else 1.0)
    return seen


def _by_epoch(choice: Any, **how: Any) -> list[float]:
    rates = _rates(choice, **how)
    epochs = [rates[start : start + STEPS] for start in range(0, len(rates), STEPS)]
    assert all(len(set(epoch)) == 1 for epoch in epochs), "the rate moves between epochs only"
    return [epoch[0] for epoch in epochs]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("constant", [0.1] * 6),
        ({"name": "step", "step_size": 2}, [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]),
        ({"name": "multistep", "milestones": [4, 1]}, [0.1, 0.01, 0.01, 0.01, 0.001, 0.001]),
        ({"name": "exponential", "gamma": 0.5}, [0.1 * 0.5**epoch for epoch in range(6)]),
        ("cosine", [0.05 * (1 + math.cos(math.pi * epoch / 6)) for epoch in range(6)]),
        ({"name": "cosine", "min_lr": 0.1}, [0.1] * 6),
    ],
)
def test_a_schedule_moves_the_rate_from_epoch_to_epoch(choice: Any, expected: list[float]) -> None:
    assert _by_epoch(choice) == pytest.approx(expected)


def test_plateau_lowers_the_rate_when_the_cost_stays_up() -> None:
    costs = [1.0, 0.5, 0.5, 0.5, 0.4, 0.5]
    assert _by_epoch({"name": "plateau", "patience": 1}, costs=costs) == pytest.approx([0.1] * 4 + [0.01] * 2)


@pytest.mark.parametrize("name", schedulers.names())
def test_a_warm_up_rises_by_batch_to_where_the_schedule_starts(name: str) -> None:
    settings = {"milestones": [2]} if name == "multistep" else {}
    plain = _rates({"name": name, **settings}, epochs=4)
    warmed = _rates({"name": name, **settings, "warmup_epochs": 2}, epochs=6)
    rise = [plain[0] * (step + 1) / (2 * STEPS) for step in range(2 * STEPS)]
    assert warmed == pytest.approx(rise + plain), "and then goes on as if there had been no warm-up"


def test_one_cycle_rises_to_the_spec_s_rate_and_falls_far_below_its_start() -> None:
    rates = _rates({"name": "one_cycle", "pct_start": 0.5}, epochs=10, steps=10)
    assert rates[0] == pytest.approx(LR / 25)
    assert max(rates) == pytest.approx(LR)
    assert rates.index(max(rates)) == 49
    assert rates[-1] == pytest.approx(LR / 25 / 10_000)
    assert len(set(rates)) > 90, "it moves by batch"


@pytest.mark.parametrize("pct_start", [0.0, 0.05, 0.1, 0.25, 0.3, 1.0])
@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (2, 2), (5, 2), (10, 1), (20, 1)])
def test_one_cycle_fits_runs_of_any_length(pct_start: float, epochs: int, steps: int) -> None:
    rates = _rates({"name": "one_cycle", "pct_start": pct_start}, epochs=epochs, steps=steps)
    assert all(0 < rate <= LR * 1.000001 for rate in rates)


@pytest.mark.parametrize("name", schedulers.names())
@pytest.mark.parametrize("stopped_after", [3, 9, 15])
def test_a_schedule_goes_on_from_its_state(name: str, stopped_after: int) -> None:
    choice = {"name": name, "warmup_epochs": 1, **({"milestones": [3]} if name == "multistep" else {})}
    whole, halves = _stepped(choice, stop=None), _stepped(choice, stop=stopped_after)
    assert whole == halves


def _stepped(choice: Any, *, stop: int | None) -> list[float]:
    optimizer, schedule = _made(choice)
    seen = []
    for step in range(EPOCHS * STEPS):
        if step == stop:
            kept = io.BytesIO()
            torch.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, kept)
            kept.seek(0)
            state = torch.load(kept, weights_only=True)
            optimizer, schedule = _made(choice)
            optimizer.load_state_dict(state["optimizer"])
            schedule.load_state_dict(state["schedule"])
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step_batch()
        if (step + 1) % STEPS == 0:
            schedule.step_epoch(1.0)
    return seen
