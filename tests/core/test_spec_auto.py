"""A spec may leave its learning rate and batch size to the run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import SpecRefused
from core.planning import plan
from core.spec import parse_spec
from core.spec.found import autos, with_numbers
from core.spec.outline import Outline, Unsound

JOB: dict[str, Any] = {"dataset": "digits", "model": "mlp", "lr": "auto", "batch_size": "auto"}


def _refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({**JOB, **fields})
    return {problem.pointer: problem.message for problem in caught.value.problems}


def test_the_stored_spec_keeps_the_word() -> None:
    spec = parse_spec(JOB)
    stored = json.loads(spec.model_dump_json())
    assert (stored["lr"], stored["batch_size"], autos(spec)) == ("auto", "auto", ("lr", "batch_size"))
    assert parse_spec(stored) == spec
    assert autos(parse_spec({**JOB, "lr": 0.1})) == ("batch_size",)


def test_found_numbers_take_the_place_of_the_word_and_of_nothing_else() -> None:
    spec = parse_spec({**JOB, "lr": 0.5})
    whole = with_numbers(spec, {"lr": 0.1, "batch_size": 64})
    assert whole == parse_spec({**JOB, "lr": 0.5, "batch_size": 64})
    assert (autos(whole), whole.steps_per_epoch) == ((), 23)
    assert with_numbers(whole, {"lr": 0.1}) is whole


def test_found_numbers_are_judged_as_any_others() -> None:
    spec = parse_spec({**JOB, "scheduler": {"name": "cosine", "min_lr": 0.5}, "micro_batch_size": 100})
    with pytest.raises(SpecRefused) as caught:
        with_numbers(spec, {"lr": 0.1, "batch_size": 64})
    assert {problem.pointer for problem in caught.value.problems} == {"/scheduler/min_lr", "/micro_batch_size"}


def test_what_rests_on_a_number_that_nobody_knows_is_not_known_either() -> None:
    outline = Outline(parse_spec(JOB).__dict__)
    for field in ("lr", "batch_size"):
        with pytest.raises(Unsound, match=field):
            outline[field]
    with pytest.raises(Unsound):
        outline.steps_per_epoch  # noqa: B018
    assert outline.split_sizes.train == 1437


@pytest.mark.parametrize("optimizer", ["lbfgs", "rprop"])
def test_an_optimizer_of_full_batches_finds_neither(optimizer: str) -> None:
    found = _refused(optimizer=optimizer)
    assert found.keys() == {"/lr", "/batch_size"}
    assert "the full batch: 1437" in found["/batch_size"]


def test_another_word_is_told_of_both_ways() -> None:
    found = _refused(lr="Auto", batch_size="largest", epochs=0)
    assert found["/lr"] == '"Auto" is not allowed here: give a number, or "auto".'
    assert found["/batch_size"] == '"largest" is not allowed here: give a whole number, or "auto".'
    assert "/epochs" in found


def test_a_plan_counts_with_the_largest_batch_that_is_tried() -> None:
    planned, told = (plan(parse_spec({**JOB, "lr": 0.1, "batch_size": size}), None, None) for size in ("auto", 256))
    assert planned["spec"]["batch_size"] == "auto"
    assert (planned["steps_per_epoch"], planned["memory"]) == (told["steps_per_epoch"], told["memory"])
    assert "this counts with 256" in planned["notes"][-1]
