"""Layers are sized one by one, and by arithmetic they hand on, and cost, what torch's modules do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import core.parts  # noqa: F401
from core.data import Cost, ModelShape
from core.parts.sizing import Misfit, Shape, through
from core.registry import layers, models

KNOWN: list[tuple[Shape, Any]] = [
    ((5,), {"name": "linear", "out": 3, "bias": False}),
    ((4, 5), {"name": "linear", "out": 3}),
    ((5,), {"name": "dropout", "p": 0.2}),
    ((5,), "batch_norm"),
    ((5, 4), {"name": "batch_norm", "affine": False}),
    ((5, 4, 3), "batch_norm"),
    ((2, 3, 4, 3), "batch_norm"),
    ((5, 4), {"name": "layer_norm", "dims": 2}),
    ((6, 4), {"name": "group_norm", "num_groups": 3}),
    ((2, 3, 4), "flatten"),
    ((2, 3, 4), {"name": "flatten", "start_dim": 2, "end_dim": 3}),
    ((2, 3, 4), {"name": "flatten", "start_dim": 1, "end_dim": -2}),
    ((24,), {"name": "reshape", "shape": [2, -1, 4]}),
    ((3, 4), {"name": "transpose"}),
    ((3, 9), {"name": "conv1d", "out": 4, "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}),
    ((3, 9), {"name": "conv1d", "out": 4, "kernel_size": 3, "padding": "valid"}),
    ((4, 9, 7), {"name": "conv2d", "out": 6, "kernel_size": [3, 2], "stride": [2, 1], "padding": [0, 1], "groups": 2}),
    ((1, 8, 8), {"name": "conv2d", "out": 2, "kernel_size": 5, "padding": "same", "dilation": 2, "bias": False}),
    ((3, 9), {"name": "max_pool1d", "kernel_size": 3, "stride": 1, "padding": 1, "dilation": 2}),
    ((3, 9, 8), {"name": "max_pool2d", "kernel_size": 2}),
    ((3, 9), {"name": "avg_pool1d", "kernel_size": 2}),
    ((3, 9, 8), {"name": "avg_pool2d", "kernel_size": [3, 2], "stride": 2, "padding": 1}),
    ((3, 10), {"name": "adaptive_avg_pool1d", "output_size": 4}),
    ((3, 9, 8), {"name": "adaptive_avg_pool2d", "output_size": [4, 3]}),
    ((3, 9, 8), "global_avg_pool"),
    ((6, 3), {"name": "gru", "hidden_size": 4}),
    ((6, 3), {"name": "lstm", "hidden_size": 4, "bidirectional": True, "returns": "last"}),
    *(((5,), name) for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")),
    (
        (4, 8, 8),
        {
            "name": "residual",
            "layers": [{"name": "conv2d", "out": 6, "kernel_size": 3, "stride": 2, "padding": 1}, "batch_norm"],
            "shortcut": [{"name": "conv2d", "out": 6, "kernel_size": 1, "stride": 2}],
        },
    ),
    ((6,), {"name": "residual", "layers": [{"name": "linear", "out": 6}, "relu"]}),
    ((4, 8), {"name": "parallel", "branches": [[], [{"name": "conv1d", "out": 3, "kernel_size": 1}], ["relu"]]}),
    ((4,), {"name": "parallel", "join": "sum", "branches": [[{"name": "linear", "out": 4}], [], ["tanh"]]}),
]


def _kept(model: nn.Module, x: Tensor) -> tuple[Tensor, int]:
    """What the model gives, and how many numbers of a sample its modules hand on."""
    kept = 0

    def count(_module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal kept
        kept += (output[0] if isinstance(output, tuple) else output)[0].numel()

    for module in model.modules():
        if not any(True for _ in module.children()):
            module.register_forward_hook(count)
    return model(x), kept


@pytest.mark.parametrize(("shape", "choice"), KNOWN, ids=lambda one: str(one)[:60])
def test_a_layer_hands_on_and_costs_what_its_arithmetic_says(shape: Shape, choice: Any) -> None:
    chosen = layers.choose(choice)
    module, told = layers.build(chosen, shape), through((chosen,), shape)
    given, kept = _kept(module, torch.randn(3, *shape))
    assert given.shape == (3, *told.shape)
    assert told.parameters == sum(weight.numel() for weight in module.parameters())
    assert told.activations >= kept


def test_no_layer_is_left_out() -> None:
    assert {choice if isinstance(choice, str) else choice["name"] for _, choice in KNOWN} == set(layers.names())


def _any_layer(draw: st.DrawFn, depth: int) -> Any:
    number = st.integers(1, 4)
    name = draw(st.sampled_from([*layers.names(), "conv2d", "linear", "max_pool2d"]))
    if name in ("residual", "parallel"):
        if depth == 3:
            return "relu"
        stacks = [[_any_layer(draw, depth + 1) for _ in range(draw(number))] for _ in range(2)]
        if name == "residual":
            return {"name": name, "layers": stacks[0], "shortcut": draw(st.sampled_from([[], stacks[1]]))}
        return {"name": name, "branches": stacks, "join": draw(st.sampled_from(["concat", "sum"]))}
    if name == "reshape":
        return {"name": name, "shape": draw(st.sampled_from([[-1], [2, -1], [1, 4, -1]]))}
    wanted = {"out": number, "kernel_size": st.sampled_from([1, 3]), "num_groups": number}
    wanted |= {"output_size": number, "hidden_size": number}
    may = {"stride": number, "padding": st.sampled_from([0, 1, "same"]), "dilation": number, "dims": number}
    may |= {"bias": st.booleans(), "affine": st.booleans(), "groups": st.sampled_from([1, 2])}
    fields = layers.get(name).settings.model_fields
    needed = {key: draw(how) for key, how in wanted.items() if key in fields}
    return {
        "name": name,
        **needed,
        **{key: draw(how) for key, how in may.items() if key in fields and draw(st.booleans())},
    }


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Shape, list[Any]]:
    """A sample's shape and a stack that takes it: of what is drawn, what fits where it stands."""
    first = shape = draw(st.sampled_from([(6,), (2, 9), (2, 7, 6)]))
    kept: list[Any] = []
    for _ in range(draw(st.integers(1, 8))):
        one = _any_layer(draw, 0)
        try:
            chosen = layers.choose(one)
            shape = through((chosen,), shape).shape
        except (Misfit, ValueError):
            continue
        kept.append(one)
    return first, [*kept, "flatten", {"name": "linear", "out": "auto"}]


@settings(max_examples=60, deadline=None)
@given(stacks())
def test_any_stack_that_fits_runs_and_has_as_many_parameters_as_told(drawn: tuple[Shape, list[Any]]) -> None:
    features, stack = drawn
    shape, chosen = ModelShape(features, 3), models.choose({"name": "layers", "layers": stack})
    cost: Cost = models.get("layers").facts["cost"](shape, **chosen.settings())
    model = models.build(chosen, shape)
    assert cost.parameters == sum(weight.numel() for weight in model.parameters())
    given, kept = _kept(model, torch.randn(2, *features))
    assert given.shape == (2, 3)
    assert cost.activations >= kept


@pytest.mark.parametrize(("sides", "wanted"), [((10, 7), (4, 3)), ((5, 5), (7, 1)), ((8, 8), (8, 2))])
def test_an_adaptive_pool_is_torchs_own(sides: Shape, wanted: Shape) -> None:
    x = torch.randn(2, 3, *sides)
    ours = layers.build(layers.choose({"name": "adaptive_avg_pool2d", "output_size": list(wanted)}), (3, *sides))
    assert torch.allclose(ours(x), nn.AdaptiveAvgPool2d(wanted)(x), atol=1e-6)


def test_weights_have_the_names_of_their_places() -> None:
    stack = [
        {"name": "conv2d", "out": 2, "kernel_size": 3, "padding": "same"},
        {"name": "residual", "layers": ["relu", {"name": "conv2d", "out": 2, "kernel_size": 1}]},
        {"name": "parallel", "branches": [["batch_norm"], []]},
        "flatten",
        {"name": "linear", "out": "auto"},
    ]
    model = models.build(models.choose({"name": "layers", "layers": stack}), ModelShape((1, 4, 4), 3))
    assert [name for name, _ in model.named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.1.layers.1.weight", "layers.1.layers.1.bias",
        "layers.2.branches.0.0.weight", "layers.2.branches.0.0.bias", "layers.4.weight", "layers.4.bias",
    ]  # fmt: skip


def test_batch_norm_is_found_in_the_deepest_block() -> None:
    facts = models.get("layers").facts
    deep: dict[str, Any] = {"name": "parallel", "branches": [[{"name": "residual", "layers": ["batch_norm"]}], []]}
    for stack, least in ((["relu", deep], 2), (["relu", {**deep, "branches": [[], ["layer_norm"]]}], 1)):
        chosen = models.choose({"name": "layers", "layers": stack}).settings()
        assert facts["smallest_batch"](**chosen) == least
        assert facts["batch_coupled"](**chosen) is (least == 2)
