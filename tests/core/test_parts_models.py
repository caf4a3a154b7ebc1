"""Models are sized from the data, and cost what they said."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import core.parts  # noqa: F401
from core.data import ModelShape
from core.registry import models

TABLE, IMAGE = ModelShape((7,), 3), ModelShape((1, 8, 8), 10)
CHOICES: list[tuple[ModelShape, Any]] = [
    (TABLE, "linear"),
    (IMAGE, "linear"),
    (TABLE, "mlp"),
    (IMAGE, {"name": "mlp", "hidden": [5, 4], "batch_norm": True, "dropout": 0.5}),
    (IMAGE, "cnn"),
    (ModelShape((3, 9, 7), 2), {"name": "cnn", "channels": [4, 5], "kernel_size": 5, "pool": 2, "hidden": [6, 3]}),
    (IMAGE, {"name": "cnn", "channels": [4] * 6, "pool": 1, "hidden": []}),
    (IMAGE, {"name": "cnn", "channels": [2], "pool": 8, "kernel_size": 1}),
]


def _build(shape: ModelShape, choice: Any) -> nn.Module:
    model = models.build(models.choose(choice), shape)
    assert isinstance(model, nn.Module)
    return model


@pytest.mark.parametrize(("shape", "choice"), CHOICES)
def test_a_model_predicts_one_row_for_each_sample(shape: ModelShape, choice: Any) -> None:
    assert _build(shape, choice)(torch.randn(5, *shape.features)).shape == (5, shape.outputs)


@pytest.mark.parametrize(("shape", "choice"), CHOICES)
def test_a_model_has_as_many_parameters_as_its_cost_says(shape: ModelShape, choice: Any) -> None:
    chosen = models.choose(choice)
    cost = models.get(chosen.name).facts["cost"](shape, **chosen.settings())
    assert cost.parameters == sum(weight.numel() for weight in _build(shape, choice).parameters())


@pytest.mark.parametrize(("shape", "choice"), CHOICES)
def test_a_model_keeps_no_more_numbers_for_each_sample_than_its_cost_says(shape: ModelShape, choice: Any) -> None:
    chosen, kept = models.choose(choice), 0

    def count(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        nonlocal kept
        kept += output[0].numel()

    model = _build(shape, choice)
    for module in model.modules():
        if not any(True for _ in module.children()):
            module.register_forward_hook(count)
    model(torch.randn(2, *shape.features))
    assert models.get(chosen.name).facts["cost"](shape, **chosen.settings()).activations >= kept


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"])
def test_every_activation_bends_the_line(activation: str) -> None:
    model = _build(ModelShape((1,), 1), {"name": "mlp", "activation": activation})
    low, middle, high = model(torch.tensor([[-8.0], [0.0], [8.0]])).flatten().tolist()
    assert (low + high) / 2 != pytest.approx(middle, abs=1e-4)


def test_the_same_seed_starts_the_same_model() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(5)
        weights.append(_build(IMAGE, "cnn").state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_dropout_and_batch_norm_are_there_only_when_asked_for() -> None:
    kinds = {type(module) for module in _build(TABLE, "mlp").modules()}
    assert not kinds & {nn.Dropout, nn.BatchNorm1d}
    asked = _build(TABLE, {"name": "mlp", "dropout": 0.25, "batch_norm": True})
    assert {nn.Dropout, nn.BatchNorm1d} <= {type(module) for module in asked.modules()}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("other", [{"dropout": 0.25}, {"activation": "tanh"}])
def test_what_a_fork_may_patch_leaves_every_weight_its_name_and_shape(
    other: dict[str, Any], *, batch_norm: bool
) -> None:
    before = {"name": "mlp", "hidden": [5, 4], "batch_norm": batch_norm}
    assert models.get("mlp").facts["patchable"] == ("activation", "dropout")
    shapes = [
        {name: weight.shape for name, weight in _build(IMAGE, choice).state_dict().items()}
        for choice in (before, {**before, **other})
    ]
    assert shapes[0] == shapes[1]
