"""Parameters that train by settings of their own, and parameters that do not train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from core.errors import InvalidSpec
from core.loading import data
from core.loop.assembly import assemble
from core.loop.groups import start_training
from core.loop.run import Run
from core.loop.step import take_step
from core.registry import optimizers
from core.spec import parse_spec
from tests.core.loop.interrupting import Bench, stage

TrainJob = Callable[..., Any]

JOB: dict[str, Any] = {
    "dataset": {"name": "blobs", "samples": 125, "features": 5, "classes": 3, "noise": 4},
    "model": {"name": "mlp", "hidden": [8], "batch_norm": True},
    "lr": 0.1,
    "batch_size": 10,
    "epochs": 4,
}
NO_DECAY = {"params": "bias_and_norm", "weight_decay": 0}
SLOW = {"params": "hidden.0.*", "lr_scale": 0.25}
APART = ("lbfgs", "pytorch_optimizer")
"""One takes no groups, the other is a package of its own."""
SCHEDULES: list[Any] = [
    {"name": "constant", "warmup_epochs": 2},
    {"name": "step", "step_size": 1, "gamma": 0.3},
    {"name": "cosine", "min_lr": 0.02, "warmup_epochs": 1},
    {"name": "one_cycle"},
    {"name": "one_cycle", "warmup_epochs": 1, "anneal_strategy": "linear"},
    {"name": "plateau", "patience": 0, "threshold": 0.9, "min_lr": 0.005},
]


def assembled(**fields: Any) -> Run:
    spec = parse_spec({**JOB, **fields})
    return assemble(spec, data.make(spec, cache=None), device=torch.device("cpu"))


def moved(told: Any, **fields: Any) -> set[str]:
    """The weights that are not as they were drawn."""
    before, now = assembled(**fields).model.state_dict(), load_file(told.folder / "model.safetensors")
    return {name for name, one in now.items() if not torch.equal(one, before[name])}


def names_by_group(run: Run) -> list[set[str]]:
    names = {id(one): name for name, one in run.model.named_parameters()}
    return [{names[id(one)] for one in group["params"]} for group in run.optimizer.param_groups]


def test_the_first_group_that_fits_takes_a_parameter_and_the_rest_keeps_the_optimizers_settings() -> None:
    run = assembled(optimizer={"name": "adamw", "weight_decay": 0.3}, param_groups=[SLOW, NO_DECAY])
    taken = [{"hidden.0.weight", "hidden.0.bias"}, {"hidden.1.weight", "hidden.1.bias", "output.bias"}]
    assert names_by_group(run) == [{"output.weight"}, *taken]
    assert [group["weight_decay"] for group in run.optimizer.param_groups] == [0.3, 0.3, 0]
    assert [group["lr"] for group in run.optimizer.param_groups] == pytest.approx([0.1, 0.025, 0.1])


def test_bias_and_norm_are_not_decayed_and_everything_else_is() -> None:
    run = assembled(optimizer={"name": "sgd", "weight_decay": 0.5}, param_groups=[NO_DECAY])
    before = {name: one.detach().clone() for name, one in run.model.named_parameters()}
    for one in run.model.parameters():
        one.grad = torch.zeros_like(one)
    run.optimizer.step()
    for name, one in run.model.named_parameters():
        expected = before[name] * (1 - 0.1 * 0.5) if one.ndim > 1 else before[name]
        torch.testing.assert_close(one.detach(), expected)


@pytest.mark.parametrize("scheduler", SCHEDULES, ids=str)
def test_every_schedule_keeps_the_ratio_and_moves_as_without_groups(scheduler: Any) -> None:
    plain, grouped = assembled(scheduler=scheduler), assembled(scheduler=scheduler, param_groups=[SLOW])
    rates: dict[int, list[Any]] = {}
    for run in (plain, grouped):
        told = rates.setdefault(id(run), [])
        for _ in range(4):
            for _ in range(run.spec.steps_per_epoch):
                told.append(run.lr)
                run.optimizer.step()
                run.schedule.step_batch()
                own = [group["lr"] for group in run.optimizer.param_groups]
                assert own[1:] == [0.25 * rate for rate in own[:1]][: len(own) - 1]
            run.schedule.step_epoch(1.0)
    assert rates[id(plain)] == rates[id(grouped)]


@pytest.mark.parametrize("name", [name for name in optimizers.names() if name not in APART])
def test_every_optimizer_takes_groups_that_leave_nothing_to_the_rest(name: str) -> None:
    every = {"params": ["hidden.0.*", "*"], "lr_scale": 0.5}
    run = assembled(optimizer=name, lr=0.01, batch_size=100, param_groups=[every])
    alike = assembled(optimizer=name, lr=0.005, batch_size=100)
    for one in (run, alike):
        take_step(one, next(one.batches()))
    assert run.lr == 0.01
    for mine, theirs in zip(run.model.parameters(), alike.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_what_is_told_as_the_learning_rate_is_the_specs(train_job: TrainJob) -> None:
    told = train_job(**JOB, param_groups=[{"params": "*", "lr_scale": 0.1}])
    assert {row.lr for row in told.rows} == {0.1}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"param_groups": [{"params": "layer.*"}]}, "/param_groups/0/params", '"layer.*" fits no parameter'),
        ({"param_groups": [SLOW, {"params": ["*", "x"]}]}, "/param_groups/1/params", '"x" fits no parameter'),
        ({"param_groups": [{"params": "*"}, SLOW]}, "/param_groups/1/params", "in a group before it"),
        ({"param_groups": [SLOW], "freeze": ["hidden.0.*"]}, "/param_groups/0/params", "are frozen"),
        ({"freeze": ["hidden.0.*", "head.*"]}, "/freeze/1", '"head.*" fits no parameter'),
        ({"freeze": ["*"]}, "/freeze", "leaves none of the 6 parameters"),
    ],
    ids=str,
)
def test_what_fits_nothing_ends_the_job_with_the_names_that_there_are(
    train_job: TrainJob, fields: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(InvalidSpec) as raised:
        train_job(**{**JOB, **fields})
    assert raised.value.param == param
    assert words in raised.value.message
    assert "output.weight" in (raised.value.hint or "")


def test_what_is_frozen_stays_as_it_was_drawn_and_the_rest_trains(train_job: TrainJob) -> None:
    told = train_job(**JOB, freeze=["hidden.0.*"])
    assert moved(told) == {
        *("hidden.1.weight", "hidden.1.bias", "output.weight", "output.bias"),
        *("hidden.1.running_mean", "hidden.1.running_var", "hidden.1.num_batches_tracked"),
    }
    assert (told.started.parameters, told.started.trainable) == (91, 43)
    assert (told.card["weights"]["parameters"], told.card["weights"]["trainable"]) == (91, 43)


def test_normalization_that_is_frozen_keeps_its_statistics_too(train_job: TrainJob) -> None:
    assert moved(train_job(**JOB, freeze=["hidden.0.*", "hidden.1.*"])) == {"output.weight", "output.bias"}
    half = moved(train_job(**JOB, freeze=["hidden.1.bias"]))
    assert {"hidden.1.running_mean", "hidden.1.weight"} < half


def test_dropout_of_a_frozen_model_still_drops() -> None:
    run = assembled(model={"name": "mlp", "hidden": [8], "dropout": 0.5}, freeze=["hidden.0.*"])
    start_training(run.model)
    assert all(module.training for module in run.model.modules())


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_a_fork_may_train_what_was_frozen_with_a_fresh_optimizer(bench: Bench, optimizer: str) -> None:
    was = {**JOB, "optimizer": optimizer, "freeze": ["hidden.0.*"]}
    told = bench.attempt({**was, "freeze": []}, lineage=[stage(was, 2)])
    assert told.notices == ["optimizer_fresh", "schedule_fresh"]
    weights: dict[str, Tensor] = load_file(told.weights)
    assert not torch.equal(weights["hidden.0.weight"], assembled().model.state_dict()["hidden.0.weight"])


def test_other_groups_in_a_fork_keep_the_optimizers_state(bench: Bench) -> None:
    was = {**JOB, "optimizer": {"name": "sgd", "momentum": 0.9}, "lr": 0.01}
    same = {**was, "param_groups": [{"params": "hidden.0.*"}]}
    lineage = [stage(was, 2)]
    told = bench.attempt(same, lineage=lineage)
    assert told.notices == ["schedule_fresh"]
    assert [row.figures() for row in told.rows] == [row.figures() for row in bench.attempt(was).rows]
    back = bench.attempt({**was, "param_groups": []}, lineage=[stage({**was, "param_groups": [SLOW]}, 2)])
    assert back.notices == ["schedule_fresh"]
