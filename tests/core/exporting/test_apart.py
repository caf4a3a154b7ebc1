"""An export in a process of its own: what it writes, what it refuses, and where it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import ExportRefused, Unavailable
from core.exporting.apart import Limits, Task, make
from core.exporting.formats import Format
from core.loop import load_model
from core.shelf import Folders
from tests.core.exporting.conftest import Trained

IRIS = {"dataset": "iris", "model": "linear", "epochs": 1}


def asked(wanted: Format, model: Path) -> Task:
    return Task(wanted, model, Folders(model / "datasets"))


def test_a_graph_for_torch_is_written_and_predicts_what_the_model_does(trained: Trained, tmp_path: Path) -> None:
    folder = trained(**IRIS)
    make(asked("pt2", folder), tmp_path / "draft", limits=Limits())
    with (tmp_path / "draft").open("rb") as file:
        read = torch.export.load(file).module()
    for count in (1, 7):
        x = torch.randn(count, 4)
        assert torch.allclose(read(x), load_model(folder)(x), atol=1e-6)


@pytest.mark.full
def test_a_graph_in_onnx_is_tried_on_the_jobs_rows(trained: Trained, tmp_path: Path) -> None:
    import onnx

    make(asked("onnx", trained(**IRIS)), tmp_path / "draft", limits=Limits())
    told = {each.key: each.value for each in onnx.load(tmp_path / "draft").metadata_props}
    assert told["tried_on"] == "30 rows of the job's data"
    assert told["classes"] == '["setosa", "versicolor", "virginica"]'


def test_weights_that_are_not_the_models_are_refused(trained: Trained, tmp_path: Path) -> None:
    folder = trained(**IRIS)
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ExportRefused, match="SHA-256"):
        make(asked("pt2", folder), tmp_path / "draft", limits=Limits())


def test_an_export_that_takes_too_long_is_given_up(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"0\.05 s"):
        make(asked("pt2", trained(**IRIS)), tmp_path / "draft", limits=Limits(seconds=0.05))
