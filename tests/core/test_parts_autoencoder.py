"""The autoencoder in a spec: it costs what it says, needs no target, and what is about one is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from core.data import ModelShape
from core.dataset import Column, Dataset, Profile, Targets
from core.errors import SpecRefused
from core.job import Problem
from core.registry import models
from core.spec import JobSpec, parse_spec
from tests.core.uploading import FLOWERS, found, stored, table

CHOICES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((7,), {}),
    ((7,), {"hidden": [], "latent": 2}),
    ((2, 9), {"hidden": [5, 4], "activation": "gelu"}),
    ((1, 8, 8), {}),
    ((3, 9, 6), {"channels": [4, 5, 6], "latent": 3}),
    ((1, 1, 5), {"channels": [2], "hidden": []}),
]


def _spec(dataset: Dataset | None = None, **fields: Any) -> JobSpec:
    own = {"name": "upload", "id": "ds_1", **fields.pop("settings", {})} if dataset else "digits"
    return parse_spec({"dataset": own, "model": "autoencoder", **fields}, found(dataset) if dataset else None)


def _refused(dataset: Dataset | None = None, **fields: Any) -> list[Problem]:
    with pytest.raises(SpecRefused) as caught:
        _spec(dataset, **fields)
    return list(caught.value.problems)


@pytest.mark.parametrize(("features", "settings"), CHOICES, ids=str)
def test_it_gives_each_sample_back_through_a_code_and_costs_what_it_says(
    features: tuple[int, ...], settings: dict[str, Any]
) -> None:
    shape, kept = ModelShape(features, 1), 0
    chosen = models.choose({"name": "autoencoder", **settings})
    cost = models.get("autoencoder").facts["cost"](shape, **chosen.settings())
    model, x = models.build(chosen, shape), torch.randn(5, *features)

    def count(_module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal kept
        kept += output.numel() // 5

    for module in model.modules():
        if not any(True for _ in module.children()) and not isinstance(module, nn.Flatten | nn.Unflatten):
            module.register_forward_hook(count)
    made = model(x)
    assert made.shape == x.shape
    assert cost.parameters == sum(weight.numel() for weight in model.parameters())
    assert cost.activations >= kept
    made.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert model.encode(x).shape == (5, chosen.settings()["latent"])
    assert torch.equal(model.decode(model.encode(x)), made)


def test_a_built_in_dataset_loses_its_target_and_the_defaults_are_those_of_a_reconstruction() -> None:
    spec = _spec()
    assert spec.loss.name == "mse"
    assert [metric.settings() for metric in spec.metrics] == [{"multioutput": "variance_weighted"}]
    assert (spec.split.stratify, spec.preprocess.target) == (False, "none")
    assert (spec.model_shape.outputs, spec.data_shape.classes) == (64, None)
    assert parse_spec(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"loss": "cross_entropy"}, "/loss"),
        ({"metrics": ["accuracy"]}, "/metrics/0"),
        ({"split": {"stratify": True}}, "/split/stratify"),
        ({"preprocess": {"target": "standard"}}, "/preprocess/target"),
        ({"augment": ["cutmix"]}, "/augment/0"),
        ({"model": {"name": "autoencoder", "channels": [4] * 4}}, "/model/channels"),
    ],
)
def test_what_is_for_another_target_is_refused(fields: dict[str, Any], pointer: str) -> None:
    [problem] = _refused(**fields)
    assert problem.pointer == pointer


def test_channels_are_for_pictures() -> None:
    with pytest.raises(SpecRefused, match="Channels are for pictures"):
        parse_spec({"dataset": "iris", "model": {"name": "autoencoder", "channels": [4]}})


def test_a_table_needs_no_target_and_every_column_is_reconstructed() -> None:
    spec = _spec(table(), settings={"exclude": ["seen"]})
    facts = spec.dataset.settings()["facts"]
    assert list(facts.columns) == ["species", "petal", "color", "wild"]
    assert (facts.itself, facts.target, facts.samples) == (True, None, 100)
    assert spec.model_shape.outputs == spec.data_shape.features[0] == 4 + 2 + 3 + 1
    assert parse_spec(spec.model_dump(mode="json")) == spec


def test_a_target_is_refused_with_what_to_do_about_it() -> None:
    [problem] = _refused(table(), settings={"target": "petal"})
    assert problem.pointer == "/dataset/target"
    assert "name it in exclude" in problem.message
    series = {"time": "seen", "window": 3}
    pointers = {one.pointer for one in _refused(table(), settings={"task": "classes", "series": series})}
    assert pointers == {"/dataset/task", "/dataset/series"}


def test_a_table_of_text_alone_has_nothing_to_reconstruct() -> None:
    [problem] = _refused(table([Column("note", "text", 0, 100)]))
    assert problem.pointer == "/model"
    assert "reads numbers; this data is text" in problem.message


@pytest.mark.parametrize("targets", [None, Targets(3), Targets(None, 2)])
def test_arrays_and_pictures_come_with_a_target_or_without(targets: Targets | None) -> None:
    arrays = stored(Profile("arrays", "npz", 50, shape=(4, 3), targets=targets))
    pictures = stored(Profile("images", "zip", 50, shape=(3, 8, 8), classes=("a",)))
    assert _spec(arrays).model_shape.outputs == 12
    assert _spec(pictures, model={"name": "autoencoder", "channels": [4]}).model_shape.outputs == 192
    if targets is None:
        with pytest.raises(SpecRefused, match="without targets"):
            _spec(arrays, model="mlp")


def test_a_stored_spec_of_a_table_keeps_its_target_with_another_model() -> None:
    spec = _spec(table(FLOWERS), settings={"target": "species"}, model="mlp")
    assert spec.dataset.settings()["facts"].itself is False


def test_no_other_model_takes_a_table_without_a_target() -> None:
    [problem] = _refused(table(), model="mlp")
    assert (problem.pointer, problem.allowed) == ("/dataset/target", [column.name for column in FLOWERS])
