"""Models of transformers from a configuration: sized from the data, alike every time, trained and gone on with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from core.data import ModelShape
from core.errors import SpecRefused
from core.loop import load_model
from core.parts.transformers_models import Reader, Viewer, Writer
from core.registry import models
from core.spec import parse_spec
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.loop.test_text import novel, reviews
from tests.core.uploading import Shelf

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
READS, WRITES = ModelShape((12,), 3, 40), ModelShape((12,), 40, 40)
SEES = ModelShape((1, 8, 8), 10)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return Shelf(folder)


def _built(name: str, architecture: str, shape: ModelShape, **more: Any) -> nn.Module:
    torch.manual_seed(0)
    made = models.build(models.choose({"name": name, "architecture": architecture, **TINY, **more}), shape)
    assert isinstance(made, nn.Module)
    return made.eval()


def _tokens(*rows: Sequence[int]) -> Tensor:
    return torch.tensor([[*row, *[0] * (12 - len(row))] for row in rows])


@pytest.mark.parametrize("architecture", get_args(Reader))
def test_a_reader_of_texts_gives_scores_and_pays_no_heed_to_padding(architecture: str) -> None:
    model = _built("text_transformer", architecture, READS)
    scores = model(_tokens([5, 6, 7], [], [9] * 12))
    assert scores.shape == (3, 3)
    assert torch.isfinite(scores).all()
    alone = model(_tokens([5, 6, 7])[:, :3])
    assert torch.allclose(scores[:1], alone, atol=1e-5)


@pytest.mark.parametrize("architecture", get_args(Writer))
def test_a_writer_of_texts_scores_each_place_by_what_came_before(architecture: str) -> None:
    model = _built("causal_transformer", architecture, WRITES)
    one, other = _tokens(list(range(1, 13))), _tokens([*range(1, 7), 9, 9, 9, 9, 9, 9])
    assert model(one).shape == (1, 12, 40)
    assert torch.allclose(model(one)[:, :6], model(other)[:, :6], atol=1e-5)
    assert not torch.allclose(model(one)[:, 7:], model(other)[:, 7:], atol=1e-5)


@pytest.mark.parametrize("architecture", get_args(Viewer))
def test_a_viewer_of_pictures_is_made_for_their_size(architecture: str) -> None:
    model = _built("vision_transformer", architecture, SEES)
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize(
    ("name", "shape", "architectures"),
    [
        ("text_transformer", READS, get_args(Reader)),
        ("causal_transformer", WRITES, get_args(Writer)),
        ("vision_transformer", SEES, get_args(Viewer)),
    ],
)
def test_every_size_and_the_dropout_reach_every_architecture(
    name: str, shape: ModelShape, architectures: tuple[str, ...]
) -> None:
    for architecture in architectures:
        small, wide = (_weights(_built(name, architecture, shape, intermediate_size=size)) for size in (24, 48))
        assert small < wide, architecture
        model = _built(name, architecture, shape, dropout=0.9).train()
        x = torch.rand(2, *shape.features) if shape.vocabulary is None else torch.ones(2, 12, dtype=torch.int64)
        assert not torch.equal(model(x), model(x)), architecture


def _weights(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_texts_of_a_table_are_learned_and_gone_on_with_exactly(bench: Bench, shelf: Shelf) -> None:
    model = {"name": "text_transformer", **TINY}
    spec = reviews(shelf, 120, model=model, lr=0.003, epochs=2, batch_size=24, preprocess={"max_length": 48})
    fields = spec.model_dump(mode="json", exclude={"checkpoints"})
    resumes_exactly(bench, fields, stride=5, datasets=shelf.folder)


def test_a_plain_text_is_learned_and_gone_on_with_exactly(bench: Bench, shelf: Shelf) -> None:
    text = b"round and round the garden, like a teddy bear. " * 60
    spec = novel(shelf, text, model={"name": "causal_transformer", **TINY}, preprocess={"block_size": 32}, epochs=1)
    fields = spec.model_dump(mode="json", exclude={"checkpoints"})
    resumes_exactly(bench, fields, stride=2, datasets=shelf.folder)


def test_pictures_are_learned_and_gone_on_with_exactly(bench: Bench) -> None:
    fields = {"dataset": "digits", "model": {"name": "vision_transformer", **TINY}, "batch_size": 500, "epochs": 2}
    resumes_exactly(bench, fields, stride=3)
    whole = bench.attempt(fields)
    assert load_model(whole.folder)(torch.rand(2, 1, 8, 8)).shape == (2, 10)


def test_what_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "digits", "model": {"name": "vision_transformer", "patch_size": 3}})
    assert caught.value.problems[0].pointer == "/model/patch_size"
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "digits", "model": {"name": "vision_transformer", "hidden_size": 30}})
    assert caught.value.problems[0].pointer == "/model/hidden_size"


def test_without_the_package_the_spec_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "digits", "model": "vision_transformer"})
    assert [problem.pointer for problem in caught.value.problems] == ["/model"]
    assert 'pip install "trainwire[hf]"' in caught.value.problems[0].message
