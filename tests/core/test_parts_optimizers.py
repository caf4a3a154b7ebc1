"""Optimizers are torch's own, with torch's defaults."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import optim
from torch.nn import Parameter

import core.parts  # noqa: F401
from core.registry import optimizers

TORCH: dict[str, type[optim.Optimizer]] = {
    "sgd": optim.SGD,
    "rmsprop": optim.RMSprop,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "adagrad": optim.Adagrad,
    "adadelta": optim.Adadelta,
    "nadam": optim.NAdam,
    "radam": optim.RAdam,
    "lbfgs": optim.LBFGS,
    "adamax": optim.Adamax,
    "asgd": optim.ASGD,
    "rprop": optim.Rprop,
    "adafactor": optim.Adafactor,
}
FUSED = ["sgd", "adam", "adamw", "adagrad"]


def _build(choice: Any, weights: list[Parameter], lr: float) -> optim.Optimizer:
    optimizer = optimizers.build(optimizers.choose(choice), weights, lr)
    assert isinstance(optimizer, optim.Optimizer)
    return optimizer


def _walk(choice: Any, *, lr: float, steps: int = 3) -> list[float]:
    """The first weights on f(w) = w^2 / 2 from w = 1."""
    weight = Parameter(torch.ones(1))
    optimizer, seen = _build(choice, [weight], lr), []

    def cost() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (weight**2 / 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for _ in range(steps):
        optimizer.step(cost)  # type: ignore[arg-type]
        seen.append(weight.item())
    return seen


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("name", "settings", "lr", "expected"),
    [
        ("sgd", {}, 0.1, [0.9, 0.81, 0.729]),
        ("sgd", {"momentum": 0.9}, 0.1, [0.9, 0.72, 0.486]),
        ("adam", {}, 0.1, [0.9, 0.800412, 0.701586]),
        ("rmsprop", {"alpha": 0.99}, 0.01, [0.9, 0.832918, 0.779982]),
    ],
)
def test_the_first_steps_are_those_of_the_textbook(
    name: str, settings: dict[str, Any], lr: float, expected: list[float], fused: bool
) -> None:
    speed = {"fused": fused} if name in FUSED else {}
    assert _walk({"name": name, **settings, **speed}, lr=lr) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", TORCH)
def test_every_default_is_torch_s_own(name: str) -> None:
    theirs = inspect.signature(TORCH[name]).parameters
    chosen = optimizers.choose(name)
    assert optimizers.get(name).facts["lr"] == theirs["lr"].default
    for setting, value in chosen.settings().items():
        if setting != "fused":
            assert value == theirs[setting].default, setting


@pytest.mark.parametrize("name", TORCH)
def test_every_optimizer_goes_downhill(name: str) -> None:
    lr = optimizers.get(name).facts["lr"]
    assert abs(_walk(name, lr=lr, steps=5)[-1]) < 1


@pytest.mark.parametrize("name", [name for name in TORCH if name not in {"lbfgs", "rprop"}])
def test_weight_decay_pulls_a_weight_without_gradient_to_zero(name: str) -> None:
    weight = Parameter(torch.ones(1))
    optimizer = _build({"name": name, "weight_decay": 0.1}, [weight], optimizers.get(name).facts["lr"])
    weight.grad = torch.zeros(1)
    optimizer.step()
    assert weight.item() < 1


@pytest.mark.parametrize("name", FUSED)
def test_the_fused_kernel_is_taken_unless_told_otherwise(name: str) -> None:
    weights = [Parameter(torch.ones(1))]
    assert _build(name, weights, 0.1).defaults["fused"] is True
    assert not _build({"name": name, "fused": False}, weights, 0.1).defaults["fused"]


@pytest.mark.parametrize("name", FUSED)
def test_fused_and_unfused_steps_agree(name: str) -> None:
    fused, plain = (_walk({"name": name, "fused": fused}, lr=0.1, steps=20) for fused in (True, False))
    assert fused == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("name", TORCH)
def test_the_state_an_optimizer_keeps_is_the_one_it_is_charged_for(name: str) -> None:
    weight = Parameter(torch.ones(1000))
    optimizer = _build(name, [weight], 0.1)
    weight.grad = torch.ones(1000)
    optimizer.step(lambda: 0.0)
    kept = sum(value.numel() for value in optimizer.state[weight].values() if isinstance(value, torch.Tensor))
    charged = optimizers.get(name).facts["state"]
    copies = charged(**optimizers.choose(name).settings()) if callable(charged) else charged
    assert kept <= 1000 * copies + 3, "and the counters"


def _steps(optimizers: list[optim.Optimizer], weights: list[Parameter]) -> None:
    for number in range(5):
        for place, weight in enumerate(weights):
            weight.grad = torch.linspace(-1, 1 + place, weight.numel()).reshape(weight.shape) * (number + 1)
        for optimizer in optimizers:
            optimizer.step()


@pytest.mark.parametrize("adjusted", ["original", "match_rms_adamw"])
def test_muon_takes_matrices_by_torch_s_muon_and_the_rest_by_adamw(adjusted: str) -> None:
    def fresh() -> list[Parameter]:
        return [Parameter(torch.ones(size)) for size in ((4, 3), (3,), (2, 1, 3, 3), (5, 6))]

    mine, theirs = fresh(), fresh()
    _steps([_build({"name": "muon", "adjust_lr_fn": adjusted}, mine, 0.01)], mine)
    matrices, others = [theirs[0], theirs[3]], theirs[1:3]
    by_muon = optim.Muon(matrices, lr=0.01, adjust_lr_fn=adjusted)
    _steps([by_muon, optim.AdamW(others, lr=0.01, weight_decay=0.1)], theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert torch.equal(one, other)


def test_every_default_of_muon_but_one_is_torch_s_own() -> None:
    theirs = inspect.signature(optim.Muon).parameters
    for setting, value in optimizers.choose("muon").settings().items():
        if setting not in {"adjust_lr_fn", "betas", "adam_eps"}:
            assert value == theirs[setting].default, setting
    built = _build("muon", [Parameter(torch.ones(2, 2))], 0.1)
    assert built.defaults["ns_coefficients"] == theirs["ns_coefficients"].default


@pytest.mark.parametrize("size", [(20, 50), (1000,)])
def test_the_state_muon_keeps_is_what_it_is_charged_for(size: tuple[int, ...]) -> None:
    weight = Parameter(torch.ones(size))
    optimizer = _build("muon", [weight], 0.1)
    weight.grad = torch.ones(size)
    optimizer.step()
    kept = sum(value.numel() for value in optimizer.state[weight].values())
    assert kept <= 1000 * optimizers.get("muon").facts["state"] + 1
