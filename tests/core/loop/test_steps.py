"""The first steps of f(w) = w²/2 from w = 1, as the teaching page has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.loading import data
from core.loading.samples import Samples
from core.loop.assembly import assemble
from core.loop.run import Run
from core.loop.step import take_step
from core.registry import optimizers, schedulers
from core.spec import parse_spec


class Parabola(nn.Module):
    """f(w) = w²/2, whatever it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        cost: Tensor = self.w**2 / 2 + 0 * x.sum()
        return cost


def parabola(optimizer: dict[str, Any], lr: float) -> tuple[Run, Parabola]:
    spec = parse_spec({"dataset": "iris", "model": "linear", "optimizer": optimizer, "lr": lr})
    model = Parabola()
    moves = optimizers.build(spec.optimizer, model.parameters(), spec.lr)
    schedule = schedulers.build(spec.scheduler, moves, 1, 3)
    run = assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))
    return replace(run, model=model, optimizer=moves, schedule=schedule, loss=lambda cost, _: cost), model


@pytest.mark.parametrize(
    ("optimizer", "lr", "steps"),
    [
        ({"name": "sgd"}, 0.1, (0.9, 0.81, 0.729)),
        ({"name": "sgd", "momentum": 0.9}, 0.1, (0.9, 0.72, 0.486)),
        ({"name": "adam"}, 0.1, (0.9, 0.800412, 0.701586)),
        ({"name": "rmsprop", "alpha": 0.99}, 0.01, (0.9, 0.832918, 0.779982)),
    ],
    ids=["sgd", "momentum", "adam", "rmsprop"],
)
def test_the_first_steps_are_those_of_the_textbook(
    optimizer: dict[str, Any], lr: float, steps: tuple[float, ...]
) -> None:
    run, model = parabola(optimizer, lr)
    for expected in steps:
        before = model.w.item()
        cost = take_step(run, Samples(torch.zeros(1), torch.zeros(1)))
        assert cost.item() == pytest.approx(before**2 / 2)
        assert model.w.item() == pytest.approx(expected, abs=1e-6)
