"""Phases in a spec: what follows from them, what does not go with them, and what a fork may change of them."""

from __future__ import annotations

from typing import Any

import pytest

from core.epochs import planned_epochs
from core.errors import SpecRefused
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched

ADAM: dict[str, Any] = {"optimizer": "adam", "lr": 0.01, "epochs": 20}
SGD: dict[str, Any] = {"optimizer": {"name": "sgd", "momentum": 0.9}, "epochs": 10, "scheduler": "cosine"}
JOB: dict[str, Any] = {"dataset": "iris", "model": "linear", "phases": [ADAM, SGD]}


def refused(fields: dict[str, Any]) -> dict[str, str]:
    """The problems of a spec, by their pointers."""
    with pytest.raises(SpecRefused) as error:
        parse_spec({**JOB, **fields})
    return {problem.pointer: problem.message for problem in error.value.problems}


def forked(patch: dict[str, Any], *, epoch: int, job: dict[str, Any] = JOB) -> JobSpec:
    return patched(parse_spec(job).model_dump(mode="json"), patch, epoch=epoch)


def unforked(patch: dict[str, Any], *, epoch: int, job: dict[str, Any] = JOB) -> dict[str, str]:
    with pytest.raises(SpecRefused) as error:
        forked(patch, epoch=epoch, job=job)
    return {problem.pointer: problem.message for problem in error.value.problems}


def test_a_phase_has_the_rate_of_its_optimizer_and_the_whole_follows_from_the_phases() -> None:
    stored = parse_spec({**JOB, "phases": [{"epochs": 2}, SGD, {"optimizer": "adadelta", "epochs": 1}]})
    assert [one.lr for one in stored.phases or ()] == [0.001, 0.001, 1.0]
    assert [one.scheduler.name for one in stored.phases or ()] == ["constant", "cosine", "constant"]
    assert (stored.optimizer.name, stored.lr, stored.scheduler.name, stored.epochs) == ("adam", 0.001, "constant", 13)
    data = stored.model_dump(mode="json")
    assert parse_spec(data) == stored
    assert planned_epochs(data) == 13


def test_what_follows_from_phases_may_be_said_but_not_otherwise() -> None:
    assert parse_spec({**JOB, "optimizer": "adam", "lr": 0.01, "epochs": 30, "scheduler": "constant"}) == parse_spec(
        JOB
    )
    told = refused({"optimizer": {"name": "adam", "eps": 0.1}, "lr": 0.1, "epochs": 10, "scheduler": "cosine"})
    assert told == {
        "/optimizer/eps": "This is 0.1, and 1e-08 in the first phase (/phases/0/optimizer/eps). "
        "Leave it out beside phases.",
        "/lr": "This is 0.1, and 0.01 in the first phase (/phases/0/lr). Leave it out beside phases.",
        "/scheduler": 'This is "cosine", and "constant" in the first phase (/phases/0/scheduler). '
        "Leave it out beside phases.",
        "/epochs": "This is 10, and /phases have 30 epochs together. Leave it out beside phases.",
    }


@pytest.mark.parametrize(
    ("phases", "pointers"),
    [
        ([], ["/phases"]),
        ("adam", ["/phases"]),
        ([{"optimizer": "adam"}], ["/phases/0/epochs"]),
        ([{"epochs": 0}, {"epochs": 1, "lr": -1, "foo": 1}], ["/phases/0/epochs", "/phases/1/lr", "/phases/1/foo"]),
        ([{"epochs": 1, "optimizer": {"name": "sgd", "momentum": 2}}], ["/phases/0/optimizer/momentum"]),
        ([{"epochs": 1}] * 21, ["/phases"]),
        ([{"epochs": 60_000}] * 2, ["/phases"]),
        ([ADAM, {**SGD, "scheduler": {"name": "cosine", "warmup_epochs": 10}}], ["/phases/1/scheduler/warmup_epochs"]),
        ([ADAM, {**SGD, "scheduler": {"name": "cosine", "min_lr": 0.5}}], ["/phases/1/scheduler/min_lr"]),
        ([ADAM, {"optimizer": "lbfgs", "epochs": 1}], ["/batch_size"]),
    ],
)
def test_each_problem_of_a_phase_has_its_place(phases: Any, pointers: list[str]) -> None:
    assert sorted(refused({"phases": phases})) == sorted(pointers)


def test_a_broken_phase_is_told_beside_the_other_problems() -> None:
    told = refused({"phases": [{"epochs": 0}], "metrics": ["rmse"], "seeds": 0})
    assert sorted(told) == ["/metrics/0", "/phases/0/epochs", "/seeds"]
    assert refused({"phases": [{"epochs": 1, "foo": 2}]})["/phases/0/foo"] == '"foo" is not a setting of `phases/0`.'


def test_memory_is_that_of_the_hungriest_optimizer() -> None:
    wide = {"dataset": {"name": "random", "samples": 64, "features": 20_000}, "batch_size": 64}
    model = {"name": "mlp", "hidden": [4000]}
    sgd = {"optimizer": "sgd", "epochs": 1}
    parse_spec({**JOB, **wide, "model": model, "phases": [sgd]})
    told = refused({**wide, "model": model, "phases": [sgd, {"optimizer": "lbfgs", "epochs": 1}]})
    assert "weights and optimizer state" in told["/model"].lower()


@pytest.mark.parametrize(
    ("phases", "epoch"),
    [
        ([ADAM, {**SGD, "epochs": 40}], 25),
        ([ADAM, {**SGD, "lr": 0.1}, {"epochs": 5}], 20),
        ([{**ADAM, "lr": 0.1, "epochs": 30}], 12),
        ([{**ADAM, "epochs": 12}, SGD], 12),
        ([ADAM, {**SGD, "epochs": 4}, ADAM], 24),
    ],
    ids=["longer", "what_is_to_come", "the_running_one", "cut_short", "cut_short_in_the_second"],
)
def test_a_fork_changes_the_phases_that_are_not_over(phases: list[dict[str, Any]], epoch: int) -> None:
    spec = forked({"phases": phases}, epoch=epoch)
    assert [(one.lr, one.epochs) for one in spec.phases or ()] == [
        (one.get("lr", 0.001), one["epochs"]) for one in phases
    ]
    assert spec.epochs == sum(one["epochs"] for one in phases)


@pytest.mark.parametrize(
    ("phases", "epoch", "pointer"),
    [
        ([{**ADAM, "lr": 0.1}, SGD], 20, "/patch/phases/0"),
        ([{**ADAM, "epochs": 19}, {**SGD, "epochs": 11}], 20, "/patch/phases/0"),
        ([{**ADAM, "epochs": 11}, SGD], 12, "/patch/phases/0"),
        ([{**ADAM, "lr": 0.1, "epochs": 12}, SGD], 12, "/patch/phases/0"),
        ([ADAM, {**SGD, "epochs": 3}, ADAM], 25, "/patch/phases/1"),
        ([ADAM], 25, "/patch/phases"),
        ([ADAM], 20, "/patch/phases"),
        (None, 25, "/patch/phases"),
    ],
)
def test_a_fork_leaves_the_phases_that_are_over_as_they_were(phases: Any, epoch: int, pointer: str) -> None:
    assert pointer in unforked({"phases": phases}, epoch=epoch)


def test_a_job_without_phases_is_forked_into_some_and_back() -> None:
    plain = {**JOB, "phases": None, **ADAM}
    spec = forked({"phases": [ADAM, SGD]}, epoch=20, job={**plain, "epochs": 40})
    assert [one.epochs for one in spec.phases or ()] == [20, 10]
    told = unforked({"phases": [SGD, ADAM]}, epoch=20, job=plain)["/patch/phases/0"]
    assert '{"optimizer": "adam", "lr": 0.01, "epochs": 20, "scheduler": "constant"}' in told
    back = forked({"phases": None, "lr": 0.1}, epoch=12)
    assert (back.phases, back.optimizer.name, back.lr, back.epochs) == (None, "adam", 0.1, 30)


def test_a_fork_of_phases_changes_their_settings_in_the_list_alone() -> None:
    assert unforked({"lr": 0.5, "epochs": 40}, epoch=3).keys() == {"/patch/lr", "/patch/epochs"}
    assert forked({"batch_size": 8}, epoch=3).phases == parse_spec(JOB).phases


def test_what_a_later_optimizer_cannot_do_is_told_once() -> None:
    phases = [ADAM, {"optimizer": "lbfgs", "epochs": 1}, {"optimizer": "lbfgs", "epochs": 1}]
    assert refused({"phases": phases, "batch_size": 120, "precision": "fp16"}).keys() == {"/precision"}
