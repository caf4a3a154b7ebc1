"""Optimizers without torch's compiler: the same steps to the last bit, and another package's left as they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from core.loop.eager import eager
from core.registry import optimizers


@pytest.mark.parametrize("name", [name for name in optimizers.names() if name != "pytorch_optimizer"])
def test_every_optimizer_takes_the_steps_that_torch_takes(name: str) -> None:
    def steps(prepared: Callable[[Optimizer], Optimizer]) -> list[Tensor]:
        weights = torch.nn.Parameter(torch.linspace(-1, 2, 12).reshape(3, 4))
        optimizer = prepared(optimizers.build(optimizers.choose(name), [weights], 0.1))
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        seen = []
        for number in range(5):

            def cost(number: int = number) -> Tensor:
                optimizer.zero_grad()
                value: Tensor = ((weights * (number + 1)).sin() ** 2).sum()
                value.backward()  # type: ignore[no-untyped-call]
                return value

            optimizer.step(cost)  # type: ignore[arg-type]
            schedule.step()
            seen.append(weights.detach().clone())
        return seen

    for mine, torchs in zip(steps(eager), steps(lambda given: given), strict=True):
        assert torch.equal(mine, torchs)


def test_an_optimizer_of_another_package_keeps_its_own_step() -> None:
    class Own(SGD):
        pass

    optimizer = Own([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    assert "step" not in vars(eager(optimizer))
