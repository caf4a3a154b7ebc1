"""What a spec may ask of pictures: augmentations, and scaling per channel."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SpecRefused
from core.job import Problem
from core.registry import augmentations
from core.spec import parse_spec
from core.spec.patching import patched
from tests.core.uploading import found, table

CNN: dict[str, Any] = {"dataset": "digits", "model": "cnn"}
TABLE: dict[str, Any] = {"dataset": "wine", "model": "mlp"}


def refused(fields: dict[str, Any]) -> list[Problem]:
    with pytest.raises(SpecRefused) as told:
        parse_spec(fields)
    return list(told.value.problems)


def test_augmentations_are_stored_in_order_with_every_setting() -> None:
    stored = parse_spec({**CNN, "augment": ["flip", {"name": "crop", "padding": 1}]}).model_dump(mode="json")
    assert stored["augment"] == [
        {"name": "flip", "horizontal": 0.5, "vertical": 0.0},
        {"name": "crop", "padding": 1, "padding_mode": "constant"},
    ]
    assert parse_spec(stored).model_dump(mode="json") == stored


def test_there_are_none_unless_asked_for_and_specs_of_before_stay_as_they_were() -> None:
    stored = parse_spec(CNN).model_dump(mode="json")
    assert stored.pop("augment") == []
    assert parse_spec(stored).augment == ()


@pytest.mark.parametrize("name", [name for name in augmentations.names() if name not in {"noise", "mixup"}])
def test_what_is_for_pictures_is_refused_for_tables_with_what_is_for_these(name: str) -> None:
    [problem] = refused({**TABLE, "augment": ["noise", name]})
    assert (problem.pointer, problem.allowed) == ("/augment/1", ["noise", "mixup"])
    assert f'"{name}" is for pictures' in problem.message
    assert "the shape [13]" in problem.message


def test_tables_take_noise_and_mixup() -> None:
    assert len(parse_spec({**TABLE, "augment": ["noise", "mixup"]}).augment) == 2
    assert parse_spec({"dataset": "diabetes", "model": "mlp", "augment": ["mixup"]}).augment


@pytest.mark.parametrize(
    ("wanted", "pointer", "allowed"),
    [
        ({"name": "crop", "padding": 8}, "/augment/0/padding", {"maximum": 7}),
        ({"name": "cutout", "length": 9}, "/augment/0/length", {"maximum": 8}),
        ({"name": "color", "saturation": 0.1}, "/augment/0/saturation", [0]),
        ({"name": "resized_crop", "scale": [0.5, 0.2]}, "/augment/0/scale", [0.2, 0.5]),
        ({"name": "affine", "scale": [2, 1]}, "/augment/0/scale", [1, 2]),
    ],
)
def test_a_setting_that_leaves_nothing_of_a_picture_is_refused(wanted: Any, pointer: str, allowed: Any) -> None:
    [problem] = refused({**CNN, "augment": [wanted]})
    assert problem.pointer == pointer
    assert problem.allowed in (allowed, tuple(allowed))


def test_batches_of_one_are_not_mixed() -> None:
    [problem] = refused({**CNN, "augment": ["flip", "mixup"], "batch_size": 1})
    assert (problem.pointer, problem.allowed) == ("/augment/1", {"batch_size": ">= 2"})


def test_every_problem_of_a_list_is_told_at_once() -> None:
    wanted = ["flop", {"name": "flip", "horizontal": 2}, {"name": "crop", "padding": 9}]
    told = [problem.pointer for problem in refused({**CNN, "augment": wanted})]
    assert told == ["/augment/0", "/augment/1/horizontal", "/augment/2/padding"]
    assert [problem.pointer for problem in refused({**CNN, "augment": ["flip"] * 17})] == ["/augment"]


def test_a_fork_may_augment_otherwise() -> None:
    before = parse_spec({**CNN, "augment": ["flip"]}).model_dump(mode="json")
    assert patched(before, {"augment": ["noise"]}, epoch=1).augment[0].name == "noise"
    assert patched(before, {"augment": None}, epoch=1).augment == ()


def test_channels_are_those_of_pictures() -> None:
    assert parse_spec({**CNN, "preprocess": {"features": "per_channel"}}).preprocess.features == "per_channel"
    [problem] = refused({**TABLE, "preprocess": {"features": "per_channel"}})
    assert problem.pointer == "/preprocess/features"
    assert problem.allowed == ["standard", "minmax", "none"]


@pytest.mark.parametrize(("setting", "value"), [("resize", "pad"), ("size", [8, 8])])
def test_only_pictures_are_resized(setting: str, value: Any) -> None:
    dataset = {"name": "upload", "id": "ds_1", "target": "species", setting: value}
    with pytest.raises(SpecRefused) as told:
        parse_spec({"dataset": dataset, "model": "mlp"}, found(table()))
    [problem] = told.value.problems
    assert problem.pointer == f"/dataset/{setting}"
    assert "this upload is a table" in problem.message
