"""The optimizers of pytorch-optimizer: what the table says of them is so, and each goes on exactly."""

from __future__ import annotations

import inspect
import io
import sys
from typing import Any

import pytest
import pytorch_optimizer as package
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from core.catalog import catalog
from core.errors import InvalidSpec, SpecRefused
from core.loop.assembly import make_optimizer
from core.parts.extra_optimizers import ALGORITHMS
from core.registry import optimizers
from core.spec import JobSpec, parse_spec


def _spec(**settings: Any) -> JobSpec:
    optimizer = {"name": "pytorch_optimizer", **settings}
    return parse_spec({"dataset": "iris", "model": "linear", "optimizer": optimizer})


def _refused(**settings: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        _spec(**settings)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def _built(algorithm: str, model: nn.Module) -> Optimizer:
    spec = _spec(algorithm=algorithm)
    made = optimizers.build(spec.optimizer, model.parameters(), spec.lr)
    assert isinstance(made, Optimizer)
    return made


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(48, 8), nn.Tanh(), nn.Linear(8, 3))


def _steps(model: nn.Module, optimizer: Optimizer, numbers: range) -> list[float]:
    costs = []
    for number in numbers:
        torch.manual_seed(100 + number)
        x, y = torch.randn(6, 1, 6, 6), torch.arange(6) % 3

        def cost(x: Tensor = x, y: Tensor = y) -> Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        taken: Any = optimizer.step(cost)  # type: ignore[arg-type]
        costs.append(taken.item())
    return costs


def _numbers(value: object) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return sum(map(_numbers, inner))


def test_there_are_more_than_thirty() -> None:
    assert len(ALGORITHMS) > 31


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_table_says_what_the_package_says(name: str) -> None:
    theirs = inspect.signature(package.load_optimizer(name).__init__).parameters
    told = ALGORITHMS[name]  # type: ignore[index]
    assert _spec(algorithm=name).lr == theirs["lr"].default == told.lr
    assert told.betas == (len(theirs["betas"].default) if "betas" in theirs else 0)
    assert set(told.takes) == {"weight_decay", "momentum", "eps"} & theirs.keys()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_goes_on_exactly_from_what_a_checkpoint_holds(name: str) -> None:
    model = _model()
    optimizer = _built(name, model)
    _steps(model, optimizer, range(3))
    kept = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, kept)
    whole = _steps(model, optimizer, range(3, 14))
    again = _model()
    restored = _built(name, again)
    kept.seek(0)
    state = torch.load(kept, weights_only=True)
    again.load_state_dict(state["model"])
    restored.load_state_dict(state["optimizer"])
    assert _steps(again, restored, range(3, 14)) == whole
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_keeps_no_more_than_it_is_charged_for(name: str) -> None:
    model = nn.Sequential(nn.Conv2d(1, 16, 5), nn.Flatten(), nn.Linear(64, 200), nn.Linear(200, 3))
    optimizer = _built(name, model)
    _steps(model, optimizer, range(2))
    weights = sum(weight.numel() for weight in model.parameters())
    assert _numbers(dict(optimizer.state)) <= 1.05 * weights * ALGORITHMS[name].state + 8  # type: ignore[index]


def test_settings_reach_the_package() -> None:
    spec = _spec(algorithm="lion", betas=[0.8, 0.9], weight_decay=0.1)
    made = optimizers.build(spec.optimizer, _model().parameters(), 0.5)
    told = made.param_groups[0]
    assert (tuple(told["betas"]), told["weight_decay"], told["lr"]) == ((0.8, 0.9), 0.1, 0.5)
    assert type(made).__name__ == "Lion"


def test_what_an_algorithm_does_not_take_is_refused_with_what_it_takes() -> None:
    told = _refused(algorithm="lion", momentum=0.9, eps=1e-8, betas=[0.9, 0.9, 0.9])
    assert told["/optimizer/momentum"] == '"lion" has no momentum; it takes betas, weight_decay.'
    assert told.keys() == {"/optimizer/momentum", "/optimizer/eps", "/optimizer/betas"}


@pytest.mark.parametrize(("algorithm", "pointers"), [("nero", ["/param_groups/0/weight_decay"]), ("lion", [])])
def test_a_group_s_decay_is_for_algorithms_that_have_one(algorithm: str, pointers: list[str]) -> None:
    optimizer = {"name": "pytorch_optimizer", "algorithm": algorithm}
    groups = [{"params": "bias_and_norm", "weight_decay": 0.0}]
    spec = {"dataset": "iris", "model": "linear", "optimizer": optimizer, "param_groups": groups}
    if pointers:
        with pytest.raises(SpecRefused) as caught:
            parse_spec(spec)
        assert [problem.pointer for problem in caught.value.problems] == pointers
    else:
        model = nn.Linear(4, 3)
        made = make_optimizer(parse_spec(spec), model)
        assert [group["weight_decay"] for group in made.param_groups] == [0.0, 0.0]
        assert [len(group["params"]) for group in made.param_groups] == [1, 1]


def test_an_unknown_algorithm_is_told_with_the_nearest() -> None:
    assert 'Did you mean "prodigy"?' in _refused(algorithm="prodigi")["/optimizer/algorithm"]


def test_without_the_package_a_spec_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = _spec(algorithm="lion")
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    told = _refused(algorithm="lion")
    assert told == {
        "/optimizer": 'The optimizer "pytorch_optimizer" needs a package that is not installed: '
        'pip install "trainwire[optim]"'
    }
    entry = next(one for one in catalog()["optimizers"] if one["name"] == "pytorch_optimizer")
    assert (entry["extra"], entry["package"], entry["installed"]) == ("optim", "pytorch_optimizer", False)
    with pytest.raises(InvalidSpec) as caught:
        optimizers.build(spec.optimizer, _model().parameters(), 0.1)
    assert "trainwire[optim]" in str(caught.value.hint)
    assert caught.value.param == "/optimizer"


def test_a_spec_shows_every_problem_beside_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    optimizer = {"name": "pytorch_optimizer", "algorithm": "lion"}
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": "linear", "optimizer": optimizer, "epochs": 0})
    assert {problem.pointer for problem in caught.value.problems} == {"/optimizer", "/epochs"}
