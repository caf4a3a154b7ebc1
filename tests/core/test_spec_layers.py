"""A list of layers is judged layer by layer: what does not fit is told at its place, with what reaches it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import SpecRefused
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched

CONV = {"name": "conv2d", "out": 4, "kernel_size": 3}
AUTO = {"name": "linear", "out": "auto"}


def _spec(*stack: Any, **fields: Any) -> JobSpec:
    return parse_spec({"dataset": "digits", "model": {"name": "layers", "layers": list(stack)}, **fields})


def _parameters(spec: JobSpec) -> int:
    assert spec.cost is not None
    return spec.cost.parameters


def _refused(*stack: Any, **fields: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        _spec(*stack, **fields)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def test_the_stored_spec_names_every_setting_of_every_layer_and_is_read_back() -> None:
    block = {"name": "residual", "layers": ["relu", {**CONV, "padding": "same"}]}
    stored = _spec(CONV, block, "flatten", AUTO).model_dump(mode="json")
    first, second = stored["model"]["layers"][:2]
    assert first == {**CONV, "stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
    assert second["layers"][0] == {"name": "relu"}
    assert second["shortcut"] == []
    assert stored["model"]["layers"][3]["out"] == "auto"
    assert parse_spec(json.loads(json.dumps(stored))).model_dump(mode="json") == stored


@pytest.mark.parametrize(
    ("stack", "pointer", "words"),
    [
        (["flatten", CONV], "/1", ['"conv2d" takes [channels, height, width]', "is [64]", '"reshape"']),
        ([CONV, {**CONV, "kernel_size": 7}, AUTO], "/1", ["spans [7, 7]", "sides [6, 6]", "smaller kernel_size"]),
        (["relu", {"name": "residual", "layers": ["relu", CONV]}], "/1", ["give [4, 6, 6]", "added to [1, 8, 8]"]),
        (["flatten", {"name": "residual", "layers": ["relu", CONV]}], "/1/layers/1", ["is [64]"]),
        (["flatten", {"name": "residual", "layers": ["relu"], "shortcut": [CONV]}], "/1/shortcut/0", ["is [64]"]),
        (["flatten", {"name": "parallel", "branches": [[], ["relu", CONV]]}], "/1/branches/1/1", ["is [64]"]),
        (
            [{"name": "parallel", "branches": [[], [CONV]]}],
            "/0",
            ["give [1, 8, 8] and [4, 6, 6]", '"concat"', "first number alone"],
        ),
        ([{**CONV, "groups": 2}], "/0", ["into 2 groups", "[1, 8, 8]", "divide 1"]),
        ([{"name": "group_norm", "num_groups": 3}], "/0", ["into 3 groups", "[1, 8, 8]"]),
        ([{"name": "reshape", "shape": [3, -1]}], "/0", ["makes [3, -1]", "[1, 8, 8], which is 64"]),
        (["flatten", "flatten", {"name": "transpose"}], "/2", ["axes 1 and 2", "is [64]"]),
        ([{"name": "layer_norm", "dims": 4}], "/0", ["last 4 axes", "at most 3"]),
        (["flatten", "global_avg_pool"], "/1", ["is [64]"]),
        ([{"name": "gru", "hidden_size": 3}], "/0", ["takes [time, columns]", "is [1, 8, 8]", "flatten"]),
        ([{"name": "flatten", "start_dim": 4}], "/0", ["[1, 8, 8]", "from 1 to 3"]),
        ([CONV, "relu"], "/1", ['"relu", gives [4, 6, 6]', "[10]", "flatten", '"out": "auto"']),
        (["flatten", {"name": "linear", "out": 9}], "/1", ["gives [9]", "are [10]"]),
        ([{**CONV, "padding": "same", "stride": 2}], "/0/stride", ["moves by 1"]),
        ([{**CONV, "padding": "same", "kernel_size": 4}], "/0/kernel_size", ["no middle"]),
        ([{**CONV, "out": 3, "groups": 2}], "/0/out", ["multiple of groups"]),
        ([{"name": "max_pool2d", "kernel_size": 2, "padding": 2}], "/0/padding", ["more than half"]),
        (["relu", {"name": "residual", "layers": ["relux"]}], "/1/layers/0", ['Did you mean "relu"']),
        (["relu", {"name": "residual", "layers": [{**CONV, "out": 0}]}], "/1/layers/0/out", ["greater than or equal"]),
        ([{"name": "parallel", "branches": [["relu"]]}], "/0/branches", ["at least 2"]),
        ([], "", ["at least 1"]),
    ],
)  # fmt: skip
def test_a_wrong_fit_is_told_at_its_layer(stack: list[Any], pointer: str, words: list[str]) -> None:
    told = _refused(*stack)
    assert list(told) == [f"/model/layers{pointer}"]
    assert all(word in told[f"/model/layers{pointer}"] for word in words), told


def test_the_width_that_is_needed_follows_from_target_and_loss() -> None:
    for dataset, width in (("digits", 10), ("breast_cancer", 1), ("diabetes", 1)):
        told = _refused("flatten", {"name": "linear", "out": 7}, dataset=dataset)
        assert f"are [{width}]" in told["/model/layers/1"]
        assert _parameters(_spec("flatten", AUTO, dataset=dataset))
    two = _spec("flatten", AUTO, dataset="breast_cancer", loss="cross_entropy")
    assert _parameters(two) == 31 * 2


def test_text_is_for_other_models_and_batch_norm_wants_two_samples() -> None:
    told = _refused("flatten", "batch_norm", AUTO, batch_size=1, on_out_of_memory="accumulate")
    assert set(told) == {"/batch_size", "/on_out_of_memory"}
    assert _spec("flatten", "layer_norm", AUTO, batch_size=1, on_out_of_memory="accumulate")


def test_layers_are_counted_and_nested_only_so_far() -> None:
    full = {**CONV, "out": 1, "kernel_size": [3, 3], "stride": [1, 1], "padding": [1, 1], "dilation": [1, 1]}
    whole = _spec(*[full] * 198, "flatten", AUTO)
    assert parse_spec(whole.model_dump(mode="json")) == whole, "the stored spec is not too large to be read"
    deep: Any = "relu"
    for _ in range(4):
        deep = {"name": "residual", "layers": [deep]}
    assert _spec(deep, "flatten", AUTO)
    place = "/model/layers/0" + "/layers/0" * 4 + "/layers"
    assert "at most 5" in _refused({"name": "residual", "layers": [deep]}, "flatten", AUTO)[place]
    wide = {"name": "parallel", "branches": [["relu"] * 100, ["relu"] * 100]}
    assert "more than 200 layers" in _refused(wide, "flatten", AUTO)["/model/layers"]


def test_a_fork_keeps_its_layers() -> None:
    before = _spec("flatten", AUTO).model_dump(mode="json")
    with pytest.raises(SpecRefused) as caught:
        patched(before, {"model": {"layers": ["flatten", "relu", AUTO]}}, epoch=1)
    assert [problem.pointer for problem in caught.value.problems] == ["/patch/model/layers"]
    assert patched(before, {"lr": 0.5}, epoch=1).lr == 0.5
