"""Models that embed words: sized from the facts alone, and refused where there are no words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from core.data import ModelShape
from core.dataset import Column
from core.errors import SpecRefused
from core.job import Problem
from core.registry import models
from core.spec import JobSpec, parse_spec
from tests.core.uploading import FLOWERS, found, table

MIXED, WORDS = ModelShape((5,), 3, categories=(4, 7)), ModelShape((2,), 1, categories=(3, 12))
CHOICES: list[tuple[ModelShape, dict[str, Any]]] = [
    (MIXED, {"name": "mlp", "embeddings": "auto"}),
    (WORDS, {"name": "mlp", "embeddings": 3, "hidden": [4], "dropout": 0.5, "batch_norm": True}),
    (MIXED, {"name": "resmlp", "embeddings": "auto"}),
    (WORDS, {"name": "resmlp", "embeddings": 5, "n_blocks": 1, "batch_norm": False}),
    (MIXED, {"name": "ft_transformer", "embeddings": "auto"}),
    (WORDS, {"name": "ft_transformer", "embeddings": "auto", "d_block": 6, "attention_n_heads": 2, "n_blocks": 3}),
]
IDS = [f"{choice['name']}-{place}" for place, (_, choice) in enumerate(CHOICES)]


def rows(shape: ModelShape, count: int) -> torch.Tensor:
    """Numbers, and behind them codes."""
    codes = torch.stack([torch.arange(count) % codes for codes in shape.categories], 1)
    return torch.cat([torch.randn(count, shape.features[0] - len(shape.categories)), codes.float()], 1)


@pytest.mark.parametrize(("shape", "choice"), CHOICES, ids=IDS)
def test_a_model_that_embeds_costs_what_it_says(shape: ModelShape, choice: dict[str, Any]) -> None:
    chosen, kept, x = models.choose(choice), 0, rows(shape, 12)
    cost = models.get(chosen.name).facts["cost"](shape, **chosen.settings())
    model = models.build(chosen, shape)
    assert cost.parameters == sum(weight.numel() for weight in model.parameters())

    def count(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        nonlocal kept
        kept += output.numel() // len(x)

    for module in model.modules():
        if not any(True for _ in module.children()) and not isinstance(module, nn.Identity):
            module.register_forward_hook(count)
    prediction = model(x)
    assert prediction.shape == (len(x), shape.outputs)
    assert cost.activations >= kept
    prediction.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize(("shape", "choice"), CHOICES, ids=IDS)
def test_a_word_that_training_did_not_have_says_nothing_and_words_differ(
    shape: ModelShape, choice: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    # wide: four units that are all silent would answer anything alike
    wide = {"hidden": [64]} if choice["name"] == "mlp" else {}
    model = models.build(models.choose({**choice, **wide}), shape).eval()
    one = rows(shape, 1).repeat(4, 1)
    one[:, -1] = torch.arange(4.0)  # an empty cell, an unknown word, and two words
    answers = model(one)
    assert torch.allclose(answers[0], answers[1], atol=1e-6)
    assert not torch.allclose(answers[1], answers[2], atol=1e-4)
    assert not torch.allclose(answers[2], answers[3], atol=1e-4)


def _spec(model: Any, *columns: Column, **fields: Any) -> JobSpec:
    upload = {"name": "upload", "id": "ds_1", "target": "wild", **fields.pop("settings", {})}
    return parse_spec({"dataset": upload, "model": model, **fields}, found(table([*FLOWERS, *columns])))


def _refused(*args: Any, **fields: Any) -> list[Problem]:
    with pytest.raises(SpecRefused) as caught:
        _spec(*args, **fields)
    return list(caught.value.problems)


def test_each_column_of_words_is_one_code_behind_all_numbers() -> None:
    plain, spec = _spec("resmlp"), _spec({"name": "resmlp", "embeddings": "auto"})
    # species 3 + 1, petal and its gaps, color 2 + 1, seen as 7
    assert plain.model_shape == ModelShape((4 + 2 + 3 + 7,), 1)
    assert spec.model_shape == ModelShape((2 + 7 + 2,), 1, categories=(3 + 2, 2 + 2))
    assert parse_spec(spec.model_dump(mode="json")) == spec


def test_a_column_may_have_many_more_words_than_places_of_their_own() -> None:
    town = Column("town", "category", 0, 3_000)
    assert _spec({"name": "mlp", "embeddings": 8}, town).model_shape.categories == (5, 4, 3_002)
    assert _spec("mlp", town).model_shape.features == (4 + 2 + 3 + 7 + 65,)


@pytest.mark.parametrize("name", ["mlp", "resmlp", "ft_transformer"])
def test_without_the_setting_nothing_is_embedded(name: str) -> None:
    chosen = models.choose(name)
    assert chosen.settings()["embeddings"] is None
    assert _spec(name).model_shape.categories == ()


@pytest.mark.parametrize("dataset", ["iris", "digits"])
def test_embeddings_are_refused_where_there_are_no_words(dataset: str) -> None:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": dataset, "model": {"name": "mlp", "embeddings": "auto"}})
    [problem] = caught.value.problems
    assert (problem.pointer, problem.allowed) == ("/model/embeddings", [None])


def test_a_table_of_numbers_and_a_series_have_no_words_to_embed() -> None:
    model = {"name": "mlp", "embeddings": "auto"}
    [problem] = _refused(model, settings={"features": ["petal"]})
    assert problem.pointer == "/model/embeddings"
    series = {"target": "y", "series": {"time": "t", "window": 3}}
    columns = Column("y", "number", 0, 90, 1.0, 9.0, 5.0), Column("t", "number", 0, 100, 0.0, 99.0, 49.5)
    assert "/model/embeddings" in {one.pointer for one in _refused(model, *columns, settings=series)}


@pytest.mark.parametrize("augment", ["noise", "mixup"])
def test_codes_are_not_changed_by_chance(augment: str) -> None:
    [problem] = _refused({"name": "mlp", "embeddings": 4}, augment=[augment])
    assert (problem.pointer, problem.allowed) == ("/augment/0", [])
    _spec("mlp", augment=[augment])


def test_the_width_is_bounded() -> None:
    pointers = [_refused({"name": "mlp", "embeddings": bad})[0].pointer for bad in (0, "wide", True)]
    assert pointers == ["/model/embeddings"] * 3
    assert _refused({"name": "ft_transformer", "embeddings": 8})[0].pointer == "/model/embeddings"


def test_a_broken_setting_beside_it_is_told_alone() -> None:
    [problem] = _refused({"name": "mlp", "embeddings": "auto", "hidden": [0]})
    assert problem.pointer == "/model/hidden/0"
