"""A fork's spec is its parent's with a patch over it, as far as the trained weights can go on with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from core.spec.patching import merged, patched
from tests.core.test_spec import VARIED
from tests.core.test_spec_bombs import JSON, PARTS, WORDS

DIGITS: dict[str, Any] = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64]},
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 0.1,
    "epochs": 40,
    "labels": {"team": "a"},
}


def _stored(data: dict[str, Any]) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(parse_spec(data).model_dump_json())
    return stored


def _patched(patch: dict[str, Any], *, spec: dict[str, Any] = DIGITS, epoch: int = 5) -> JobSpec:
    return patched(_stored(spec), patch, epoch=epoch)


def _refused(patch: Any, *, spec: dict[str, Any] = DIGITS, epoch: int = 5) -> list[Problem]:
    with pytest.raises(SpecRefused) as caught:
        patched(_stored(spec), patch, epoch=epoch)
    return list(caught.value.problems)


@pytest.mark.parametrize("spec", VARIED)
def test_a_patch_of_nothing_changes_nothing(spec: dict[str, Any]) -> None:
    assert patched(_stored(spec), {}, epoch=0) == parse_spec(spec)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_is_that_of_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


def test_objects_are_merged_and_null_brings_the_default_back() -> None:
    spec = _patched({"optimizer": {"nesterov": True}, "lr": 0.05, "labels": {"team": None, "try": "2"}})
    assert spec.optimizer.settings()["momentum"] == 0.9
    assert spec.optimizer.settings()["nesterov"] is True
    assert (spec.lr, spec.labels, spec.epochs) == (0.05, {"try": "2"}, 40)
    assert _patched({"epochs": None}).epochs == 10


def test_another_optimizer_replaces_the_old_one_whole_and_brings_its_own_rate() -> None:
    for choice in ("adam", {"name": "adam"}):
        spec = _patched({"optimizer": choice})
        assert spec.optimizer == parse_spec({**DIGITS, "optimizer": "adam"}).optimizer
        assert spec.lr == 0.001
    assert _patched({"optimizer": None}).optimizer.name == "adam"
    assert _patched({"optimizer": "rmsprop", "lr": 0.1}).lr == 0.1


def test_the_same_optimizer_keeps_its_rate() -> None:
    assert _patched({"optimizer": {"momentum": 0.5}}).lr == 0.1
    plain = _patched({"optimizer": "sgd"})
    assert (plain.lr, plain.optimizer.settings()["momentum"]) == (0.1, 0)


def test_what_decides_the_best_checkpoint_follows_early_stopping_where_it_did() -> None:
    watched = {"early_stopping": {"monitor": "val_accuracy"}}
    assert _patched(watched).checkpoints.monitor == "val_accuracy"
    assert _patched({"early_stopping": None}, spec={**DIGITS, **watched}).checkpoints.monitor == "val_loss"
    chosen = {**DIGITS, "checkpoints": {"monitor": "train_loss"}}
    assert _patched(watched, spec=chosen).checkpoints.monitor == "train_loss"


@pytest.mark.parametrize(
    "patch",
    [
        {"model": {"dropout": 0.2, "activation": "tanh"}},
        {"loss": {"label_smoothing": 0.1}},
        {"batch_size": 64, "seed": 3, "scheduler": "cosine", "clip_grad_norm": 1, "metrics": ["f1"]},
        {"loader": {"shuffle": False}, "resources": {"threads": 2}, "checkpoints": {"keep_best": 3}},
        {"dataset": "digits", "split": {"validation": 0.2}, "preprocess": {}},
        {"name": "second", "priority": 5, "epochs": 6},
    ],
)
def test_what_leaves_data_and_weights_as_they_are_is_taken(patch: dict[str, Any]) -> None:
    same = "dataset" in patch
    assert (_patched(patch) == parse_spec(DIGITS)) is same


@pytest.mark.parametrize(
    ("patch", "pointer", "allowed"),
    [
        ({"dataset": "iris"}, "/patch/dataset", ["digits"]),
        ({"split": {"validation": 0.3}}, "/patch/split/validation", [0.2]),
        ({"split": {"seed": 1}}, "/patch/split/seed", [0]),
        ({"preprocess": {"features": "minmax"}}, "/patch/preprocess/features", ["standard"]),
        ({"model": "linear"}, "/patch/model", ["mlp"]),
        ({"model": {"name": "cnn", "pool": 1}}, "/patch/model", ["mlp"]),
        ({"model": {"hidden": [64, 64]}}, "/patch/model/hidden", [[64]]),
        ({"model": {"hidden": None}}, "/patch/model/hidden", [[64]]),
        ({"model": {"batch_norm": True}}, "/patch/model/batch_norm", [False]),
        ({"model": "mlp"}, "/patch/model", [[64]]),
        ({"epochs": 5}, "/patch/epochs", {"minimum": 6}),
        ({"lr": -1}, "/patch/lr", {"exclusiveMinimum": 0, "maximum": 1000000, "type": "number"}),
        (
            {"model": {"hiden": [3]}},
            "/patch/model/hiden",
            ["activation", "batch_norm", "dropout", "embeddings", "hidden", "name"],
        ),
    ],
)
def test_what_the_weights_cannot_go_on_with_is_refused(patch: dict[str, Any], pointer: str, allowed: Any) -> None:
    (problem,) = _refused(patch)
    assert (problem.pointer, problem.allowed) == (pointer, allowed)


def test_a_loss_that_takes_other_outputs_is_refused() -> None:
    moons = {"dataset": "moons", "model": "mlp"}
    (problem,) = _refused({"loss": "cross_entropy"}, spec=moons)
    assert problem.pointer == "/patch/loss"
    assert "takes 2 outputs" in problem.message
    assert "give 1" in problem.message


def test_every_setting_of_a_data_set_or_an_image_model_stays() -> None:
    made = {"dataset": {"name": "blobs", "samples": 200}, "model": "linear"}
    assert [one.pointer for one in _refused({"dataset": {"samples": 300}}, spec=made)] == ["/patch/dataset/samples"]
    images = {"dataset": "digits", "model": "cnn"}
    wider = {"model": {"channels": [8], "hidden": [], "kernel_size": 5, "pool": 1}}
    assert len(_refused(wider, spec=images)) == 4


def test_all_problems_of_a_patch_are_told_at_once_each_with_its_remedy() -> None:
    told = _refused({"dataset": "iris", "model": {"hidden": [8]}, "epochs": 3, "lr": 0, "epoch": 1, "metrics": ["r2"]})
    assert {one.pointer for one in told} == {
        "/patch/dataset",
        "/patch/model/hidden",
        "/patch/epochs",
        "/patch/lr",
        "/patch/epoch",
        "/patch/metrics/0",
    }
    assert "[8] instead of [64] would change the weights" in next(one.message for one in told if "model" in one.pointer)


def test_without_a_patch_a_job_at_its_end_cannot_be_forked_there() -> None:
    (problem,) = _refused({}, epoch=40)
    assert problem.pointer == "/patch/epochs"
    assert problem.message.startswith("40 epochs leave nothing to train behind epoch 40.")
    assert _patched({"epochs": 41}, epoch=40).epochs == 41


@pytest.mark.parametrize("patch", [[], "lr", 5, None])
def test_what_is_no_object_is_no_patch(patch: Any) -> None:
    assert [one.pointer for one in _refused(patch)] == ["/patch"]


def test_a_bomb_of_a_patch_is_refused() -> None:
    deep: Any = {}
    for _ in range(1_200):
        deep = {"a": deep}
    assert _refused({"labels": deep})[0].pointer.startswith("/patch/labels")
    assert _refused({"labels": {f"tag{n}": "" for n in range(50_000)}})[0].pointer == "/patch/labels"


PATCHES = st.dictionaries(
    WORDS, PARTS | JSON | st.fixed_dictionaries({}, optional={"name": PARTS, "hidden": JSON}), max_size=5
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(VARIED), PATCHES, st.integers(0, 50), st.randoms())
def test_any_patch_gives_a_good_spec_or_is_refused_with_its_problems(
    spec: dict[str, Any], patch: dict[str, Any], epoch: int, chance: Any
) -> None:
    stored, turned = _stored(spec), list(patch.items())
    chance.shuffle(turned)
    outcomes = [_outcome(stored, patch, epoch=epoch), _outcome(stored, dict(turned), epoch=epoch)]
    assert outcomes[0] == outcomes[1]
    assert stored == _stored(spec), "what was handed over is left as it was"


def _outcome(stored: dict[str, Any], patch: dict[str, Any], *, epoch: int) -> Any:
    try:
        spec = patched(stored, patch, epoch=epoch)
    except SpecRefused as refused:
        pointers = sorted(problem.pointer for problem in refused.problems)
        assert all(pointer.startswith("/patch") for pointer in pointers)
        return pointers
    before = parse_spec(stored)
    assert (spec.dataset, spec.split, spec.preprocess) == (before.dataset, before.split, before.preprocess)
    assert spec.model_shape == before.model_shape
    assert spec.cost
    assert before.cost
    assert spec.cost.parameters == before.cost.parameters
    assert spec.epochs > epoch
    return spec


def test_what_a_job_found_is_its_forks_own_and_can_be_changed_to_other_numbers() -> None:
    found = {**_stored({**DIGITS, "lr": "auto"}), "lr": 0.2}
    assert patched(found, {}, epoch=3).lr == 0.2
    assert patched(found, {"lr": 0.1, "batch_size": 64}, epoch=3).batch_size == 64


def test_nothing_is_found_behind_an_epoch() -> None:
    [lr, size] = _refused({"lr": "auto", "batch_size": "auto"}, epoch=7)
    assert (lr.pointer, size.pointer) == ("/patch/lr", "/patch/batch_size")
    assert "behind epoch 7" in lr.message
    [unfound] = _refused({}, spec={**DIGITS, "lr": "auto"}, epoch=0)
    assert unfound.pointer == "/patch/lr"
    assert "once it has found" in unfound.message
    assert patched(_stored({**DIGITS, "lr": "auto"}), {"lr": 0.3}, epoch=0).lr == 0.3


def test_a_batch_size_that_was_never_found_can_be_shared_out_once_it_is_given() -> None:
    job, devices = {**DIGITS, "batch_size": "auto"}, {"resources": {"device": "cpu", "devices": 2}}
    [unfound] = _refused(devices, spec=job, epoch=0)
    assert unfound.pointer == "/patch/batch_size"
    assert patched(_stored(job), {**devices, "batch_size": 64}, epoch=0).resources.devices == 2
