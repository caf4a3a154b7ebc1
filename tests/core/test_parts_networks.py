"""The larger models: each costs what it says, is refused where it cannot read, and learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import core.parts  # noqa: F401
from core.data import ModelShape
from core.errors import SpecRefused
from core.job import Problem
from core.registry import models
from core.spec import parse_spec

ROW, SERIES, IMAGE = ModelShape((7,), 3), ModelShape((2, 9), 4), ModelShape((1, 8, 8), 10)
CHOICES: list[tuple[ModelShape, Any]] = [
    (IMAGE, "resnet"),
    (IMAGE, {"name": "resnet", "channels": [4], "blocks": 1}),
    (ModelShape((3, 9, 7), 1), {"name": "resnet", "channels": [4, 4, 6, 8], "blocks": 3, "batch_norm": False}),
    (ROW, "resmlp"),
    (IMAGE, {"name": "resmlp", "n_blocks": 3, "d_block": 5, "d_hidden": 8, "dropout2": 0.5, "batch_norm": False}),
    (ROW, "cnn1d"),
    (SERIES, {"name": "cnn1d", "channels": [3, 4], "kernel_size": 3, "stride": 3, "hidden": [5], "batch_norm": False}),
    (SERIES, {"name": "cnn1d", "channels": [3] * 6, "stride": 1, "dropout": 0.5}),
    (SERIES, {"name": "cnn1d", "channels": [3] * 6}),
    (ROW, "rnn"),
    (SERIES, {"name": "rnn", "cell": "lstm", "hidden_size": 5, "num_layers": 3, "bidirectional": True, "hidden": [6]}),
    (SERIES, {"name": "rnn", "num_layers": 2, "dropout": 0.5}),
    (ROW, "ft_transformer"),
    (
        ROW,
        {
            "name": "ft_transformer", "n_blocks": 3, "d_block": 6, "attention_n_heads": 3, "attention_dropout": 0,
            "ffn_d_hidden": 5, "residual_dropout": 0.5,
        },
    ),
]  # fmt: skip
IDS = [choice if isinstance(choice, str) else f"{choice['name']}-{place}" for place, (_, choice) in enumerate(CHOICES)]


def _build(shape: ModelShape, choice: Any) -> nn.Module:
    model = models.build(models.choose(choice), shape)
    assert isinstance(model, nn.Module)
    return model


def _refused(**fields: Any) -> Problem:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", **fields})
    [problem] = caught.value.problems
    return problem


@pytest.mark.parametrize(("shape", "choice"), CHOICES, ids=IDS)
def test_a_network_predicts_one_row_for_each_sample_and_costs_what_it_says(shape: ModelShape, choice: Any) -> None:
    chosen, kept = models.choose(choice), 0
    cost = models.get(chosen.name).facts["cost"](shape, **chosen.settings())
    model = _build(shape, choice)
    assert cost.parameters == sum(weight.numel() for weight in model.parameters())

    def count(_module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal kept
        kept += (output[0] if isinstance(output, tuple) else output).numel() // 5

    for module in model.modules():
        if not any(True for _ in module.children()) and not isinstance(module, nn.Identity):
            module.register_forward_hook(count)
    prediction = model(torch.randn(5, *shape.features))
    assert prediction.shape == (5, shape.outputs)
    assert cost.activations >= kept
    prediction.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize(("shape", "choice"), CHOICES, ids=IDS)
def test_a_sample_is_judged_without_its_batch(shape: ModelShape, choice: Any) -> None:
    model, x = _build(shape, choice).eval(), torch.randn(4, *shape.features)
    assert torch.allclose(model(x)[1:2], model(x[1:2]), atol=1e-5)


@pytest.mark.parametrize(("shape", "choice"), CHOICES, ids=IDS)
def test_what_a_fork_may_patch_leaves_every_weight_of_a_network_its_name_and_shape(
    shape: ModelShape, choice: Any
) -> None:
    before = models.choose(choice)
    for setting in models.get(before.name).facts.get("patchable", ()):
        value = 1 if setting == "attention_n_heads" else 0.25
        now = models.choose({**before.model_dump(), setting: value})
        shapes = [
            {name: weight.shape for name, weight in models.build(one, shape).state_dict().items()}
            for one in (before, now)
        ]
        assert shapes[0] == shapes[1], setting


def test_a_row_of_numbers_is_a_series_of_one_channel() -> None:
    for name in ("cnn1d", "rnn"):
        torch.manual_seed(0)
        row = _build(ModelShape((9,), 4), name)
        torch.manual_seed(0)
        series, x = _build(ModelShape((1, 9), 4), name), torch.randn(3, 9)
        assert torch.equal(row(x), series(x.unsqueeze(1)))


def test_a_recurrent_network_reads_its_steps_in_their_order() -> None:
    model, x = _build(SERIES, "rnn").eval(), torch.randn(3, 2, 9)
    assert not torch.allclose(model(x), model(x.flip(2)), atol=1e-3)


def test_residual_blocks_without_norm_begin_as_identities() -> None:
    seen: list[Tensor] = []
    model = _build(IMAGE, {"name": "resnet", "channels": [4], "blocks": 20, "batch_norm": False})
    for part in (model.stem, model.stages):
        assert isinstance(part, nn.Module)
        part.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    model(torch.randn(2, 1, 8, 8))
    assert torch.equal(seen[0], seen[1])


@pytest.mark.parametrize(
    ("dataset", "model", "reads"),
    [
        ("iris", "resnet", "images (channels, height, width)"),
        ("digits", "cnn1d", "rows of features or series (channels, length)"),
        ("digits", "rnn", "rows of features or series (channels, length)"),
        ("digits", "ft_transformer", "rows of features"),
    ],
)
def test_a_network_that_cannot_read_such_samples_is_refused_with_those_that_can(
    dataset: str, model: str, reads: str
) -> None:
    problem = _refused(dataset=dataset, model=model)
    assert problem.pointer == "/model"
    assert f"is for {reads}; a sample of" in problem.message
    images = ["linear", "mlp", "cnn", "layers", "resnet", "resmlp", "vision_transformer", "timm", "torchvision"]
    rows = ["linear", "mlp", "layers", "resmlp", "cnn1d", "rnn", "ft_transformer"]
    assert problem.allowed == (images if dataset == "digits" else rows)


@pytest.mark.parametrize(
    ("dataset", "model", "pointer", "allowed"),
    [
        ("digits", {"name": "resnet", "channels": [4] * 5}, "/model/channels", {"maxItems": 4}),
        ("iris", {"name": "cnn1d", "kernel_size": 4}, "/model/kernel_size", "odd numbers from 1 to 127"),
        ("iris", {"name": "ft_transformer", "d_block": 12}, "/model/d_block", {"multipleOf": 8}),
        ("iris", {"name": "rnn", "cell": "elman"}, "/model/cell", {"enum": ["gru", "lstm"], "type": "string"}),
    ],
)
def test_settings_that_leave_nothing_are_refused_with_what_fits(
    dataset: str, model: Any, pointer: str, allowed: Any
) -> None:
    problem = _refused(dataset=dataset, model=model)
    assert (problem.pointer, problem.allowed) == (pointer, allowed)


@pytest.mark.parametrize("model", ["resnet", "resmlp"])
def test_a_last_batch_of_one_is_refused_where_there_is_batch_norm(model: str) -> None:
    fields = {"dataset": "digits", "split": {"validation": 0}, "batch_size": 449}  # 1797 = 4 * 449 + 1
    assert _refused(**fields, model=model).pointer == "/batch_size"
    parse_spec({"dataset": "digits", **fields, "model": {"name": model, "batch_norm": False}})
