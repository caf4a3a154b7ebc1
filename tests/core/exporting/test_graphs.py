"""Every model as a graph predicts what it predicts in torch, for any number of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor, nn

from core.data import ModelShape
from core.errors import ExportRefused
from core.exporting import graphs, rows, work
from core.registry import models

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own parts

ROW, WORDS = ModelShape((6,), 3), ModelShape((6,), 3, categories=(5, 7))
SERIES, PICTURE = ModelShape((3, 24), 2), ModelShape((1, 9, 9), 4)
TEXT, NEXT = ModelShape((16,), 3, vocabulary=60), ModelShape((16,), 60, vocabulary=60)
NARROW = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}

SMALL: dict[str, tuple[dict[str, Any], ModelShape]] = {
    "mlp of words": ({"name": "mlp", "hidden": [8], "batch_norm": True, "dropout": 0.2, "embeddings": 3}, WORDS),
}
ALL: dict[str, tuple[dict[str, Any], ModelShape]] = {
    "linear": ({"name": "linear"}, ROW),
    "mlp": ({"name": "mlp"}, PICTURE),
    "resmlp": ({"name": "resmlp"}, ROW),
    "ft_transformer": ({"name": "ft_transformer"}, ROW),
    "ft_transformer of words": ({"name": "ft_transformer", "embeddings": "auto"}, WORDS),
    "cnn": ({"name": "cnn"}, PICTURE),
    "resnet": ({"name": "resnet"}, PICTURE),
    "cnn1d": ({"name": "cnn1d"}, SERIES),
    "gru": ({"name": "rnn", "num_layers": 2, "bidirectional": True}, SERIES),
    "lstm": ({"name": "rnn", "cell": "lstm"}, ROW),
    "embedding_bag": ({"name": "embedding_bag", "ngrams": 3}, TEXT),
    "gpt": ({"name": "gpt", "n_layer": 2, "n_head": 2, "n_embd": 16}, NEXT),
    "autoencoder": ({"name": "autoencoder", "channels": [4, 8]}, ModelShape((1, 9, 9), 81)),
    "layers": (
        {
            "name": "layers",
            "layers": [
                {"name": "conv2d", "out": 4, "kernel_size": 3},
                "batch_norm",
                {"name": "residual", "layers": [{"name": "conv2d", "out": 4, "kernel_size": 3, "padding": 1}, "gelu"]},
                {"name": "adaptive_avg_pool2d", "output_size": 2},
                {"name": "reshape", "shape": [16]},
                {"name": "linear", "out": "auto"},
            ],
        },
        PICTURE,
    ),
    "layers in time": (
        {
            "name": "layers",
            "layers": [
                {"name": "lstm", "hidden_size": 8, "returns": "all"},
                {"name": "gru", "hidden_size": 8, "returns": "last", "bidirectional": True},
                {"name": "linear", "out": "auto"},
            ],
        },
        SERIES,
    ),
    "text_transformer": ({"name": "text_transformer", **NARROW}, TEXT),
    "causal_transformer": ({"name": "causal_transformer", **NARROW}, NEXT),
    "vision_transformer": ({"name": "vision_transformer", "patch_size": 3, **NARROW}, PICTURE),
}
ELSEWHERE = {"timm", "torchvision"}
"""Models of packages that are not among those of the tests."""


def test_no_model_is_forgotten() -> None:
    assert {settings["name"] for settings, _ in (SMALL | ALL).values()} == {*models.names()} - ELSEWHERE


@pytest.mark.parametrize("chosen", [*SMALL, *(pytest.param(name, marks=pytest.mark.full) for name in ALL)])
def test_a_graph_predicts_what_the_model_does(chosen: str, tmp_path: Path) -> None:
    model, x = built(*(SMALL | ALL)[chosen])
    program = graphs.traced(model, x[:2])
    same(model, program.module(), x, most=1e-6)
    graphs.write_onnx(program, tmp_path / "model.onnx", {"name": chosen})
    same(model, graphs.read_onnx(tmp_path / "model.onnx"), x, most=1e-4)
    told = onnx.load(tmp_path / "model.onnx")
    assert [told.graph.input[0].name, told.graph.output[0].name] == ["x", "y"]
    assert told.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert {each.key: each.value for each in told.metadata_props}["name"] == chosen
    assert str(Path(__file__).parents[3]).encode() not in told.SerializeToString(), "it tells where it was made"


class OfItsRows(nn.Module):
    """Predicts otherwise for many rows."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.shape[0] < 10 else 2 * x


def test_a_graph_never_answers_for_rows_that_it_was_not_made_for() -> None:
    with pytest.raises(ExportRefused):
        work.check(OfItsRows(), graphs.traced(OfItsRows(), torch.ones(3, 2)).module(), torch.ones(20, 2), most=1e-6)


def test_a_file_that_predicts_something_else_is_refused() -> None:
    with pytest.raises(ExportRefused, match="up to 1:"):
        work.check(nn.Identity(), lambda x: x + 1, torch.ones(3, 2), most=1e-4)


def built(settings: dict[str, Any], shape: ModelShape) -> tuple[nn.Module, Tensor]:
    """A model whose buffers have seen some rows, and others to try it on."""
    torch.manual_seed(0)
    model: nn.Module = models.build(models.choose(settings), shape)
    x = rows.drawn(shape)
    with torch.no_grad():
        model.train()(x[:32])
    return model.eval(), x


@torch.no_grad()
def same(model: nn.Module, other: graphs.Predict, x: Tensor, *, most: float) -> None:
    for some in (x[:1], x[:2], x):
        assert torch.allclose(model(some), other(some), rtol=most, atol=most)
