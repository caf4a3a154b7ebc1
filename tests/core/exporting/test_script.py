"""The exported script predicts what the service does, in a process that has torch and nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import ExportRefused
from core.exporting import graphs, script
from core.loop import load_model, load_preprocess, train
from core.loop.weights import trained_spec
from core.spec import JobSpec
from tests.core.exporting.conftest import Trained
from tests.core.uploading import Shelf

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own parts

TABLE = "height,color,wild,seen,kind\n" + "".join(
    f"{height},{color},{wild},2024-{1 + place % 12:02}-15T0{place % 9}:30,{kind}\n"
    for place, (height, color, wild, kind) in enumerate(
        [("1.5", "red", "true", "rose"), ("NA", "?", "", "fern"), ("9", "blue", "false", "oak")] * 20
    )
)
TEXTS = "said,kind\n" + "".join(
    f'"{said}",{kind}\n' for said, kind in [("It's good, naïve 1½ ✓", "a"), ("no  way!\t42", "b")] * 20
)
SERIES = "day,sold,warm\n" + "".join(f"2024-01-{day:02},{day % 7},{day / 3}\n" for day in range(1, 32))

ALONE = """
import json, sys
for name in ("numpy", "core", "trainwire", "polars", "tokenizers"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
import predict
from pathlib import Path
rows = predict.read(Path(sys.argv[2]))
model = predict.Model()
json.dump([model.scores(rows).tolist(), list(model.answers(rows))], sys.stdout)
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


def trained(spec: JobSpec, shelf: Shelf, folder: Path) -> Path:
    for _ in train(spec, folder=folder, datasets=shelf.folder):
        pass
    return folder


def told(folder: Path, rows: Path, home: Path) -> tuple[torch.Tensor, list[dict[str, Any]]]:
    """What the script of this model says of a file, alone."""
    card = json.loads((folder / "model.json").read_bytes())
    spec = trained_spec(card)
    x = torch.zeros(3, *spec.model_shape.features)
    x = x.long() if spec.model_shape.vocabulary else x
    with (home / "graph").open("wb") as file:
        torch.export.save(graphs.traced(load_model(folder), x), file)
    script.pack(home / "predict.zip", home / "graph", folder, spec)
    with zipfile.ZipFile(home / "predict.zip") as packed:
        packed.extractall(home / "unpacked")
    command = [sys.executable, "-P", "-W", "ignore", "-c", ALONE, str(home / "unpacked"), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": ""}, cwd=home)
    assert done.returncode == 0, done.stderr
    scores, answers = json.loads(done.stdout)
    return torch.tensor(scores), answers


@torch.no_grad()
def agrees(folder: Path, rows: Sequence[Any], scores: torch.Tensor) -> None:
    ours = load_model(folder)(load_preprocess(folder)(rows))
    assert scores.shape == ours.shape
    assert torch.allclose(scores, ours, rtol=1e-6, atol=1e-6), (scores - ours).abs().max()


@pytest.mark.parametrize("model", ["linear", pytest.param({"name": "mlp", "embeddings": 3}, marks=pytest.mark.full)])
def test_a_table_is_encoded_as_in_training(model: Any, shelf: Shelf, tmp_path: Path) -> None:
    spec = shelf.spec(shelf.put("plants.csv", TABLE.encode()), {"target": "kind"}, model=model, epochs=3)
    folder = trained(spec, shelf, tmp_path / "model")
    (tmp_path / "rows.csv").write_text(
        "height,color,wild,seen\n2.25,red,true,2024-02-29T12:00\n,green,FALSE,\nNA,,?,1969-07-20\n"
    )
    rows = [
        {"height": "2.25", "color": "red", "wild": "true", "seen": "2024-02-29T12:00"},
        {"height": "", "color": "green", "wild": "FALSE", "seen": ""},
        {"height": "NA", "color": "", "wild": "?", "seen": "1969-07-20"},
    ]
    scores, answers = told(folder, tmp_path / "rows.csv", tmp_path)
    agrees(folder, rows, scores)
    assert [set(answer["probabilities"]) for answer in answers] == [{"fern", "oak", "rose"}] * 3


@pytest.mark.parametrize(
    "text", [pytest.param("bytes", marks=pytest.mark.full), {"name": "bpe", "vocab_size": 290, "min_frequency": 1}]
)
def test_texts_become_the_same_tokens(text: Any, shelf: Shelf, tmp_path: Path) -> None:
    spec = shelf.spec(
        shelf.put("said.csv", TEXTS.encode()),
        {"target": "kind"},
        model="embedding_bag",
        preprocess={"text": text},
        epochs=1,
    )
    folder = trained(spec, shelf, tmp_path / "model")
    texts = ["It's good,  they'll   say 12 ½x² ✓✓!", "", "new\nline  \t end ", "naïve ünïcödé 東京 🎉"]
    (tmp_path / "rows.json").write_text(json.dumps([{"said": one} for one in texts]))
    scores, _ = told(folder, tmp_path / "rows.json", tmp_path)
    agrees(folder, [{"said": one} for one in texts], scores)


@pytest.mark.full
def test_a_series_is_forecast_in_its_own_unit(shelf: Shelf, tmp_path: Path) -> None:
    dataset = {"target": "sold", "series": {"time": "day", "window": 4, "horizon": 2}}
    folder = trained(
        shelf.spec(shelf.put("sold.csv", SERIES.encode()), dataset, model="rnn", epochs=1), shelf, tmp_path / "m"
    )
    (tmp_path / "rows.csv").write_text(SERIES)
    header, *lines = [line.split(",") for line in SERIES.splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    scores, answers = told(folder, tmp_path / "rows.csv", tmp_path)
    agrees(folder, rows, scores)
    prepare = load_preprocess(folder)
    expected = prepare.undo(load_model(folder)(prepare(rows))).tolist()
    assert answers[0]["behind_row"] == 4
    assert answers[0]["forecast"] == pytest.approx(expected[0], abs=1e-6)


@pytest.mark.full
def test_numbers_come_in_the_targets_unit(trained: Trained, tmp_path: Path) -> None:
    from sklearn.datasets import load_diabetes

    folder = trained(dataset="diabetes", model="linear", epochs=1, preprocess={"target": "standard"})
    x = load_diabetes().data[:3]
    (tmp_path / "rows.json").write_text(json.dumps(x.tolist()))
    scores, answers = told(folder, tmp_path / "rows.json", tmp_path)
    agrees(folder, x, scores)
    prepare = load_preprocess(folder)
    expected = prepare.undo(load_model(folder)(prepare(x))).flatten().tolist()
    assert [answer["value"] for answer in answers] == pytest.approx(expected, rel=1e-6)


def test_a_model_that_goes_on_with_a_text_has_no_script(shelf: Shelf) -> None:
    spec = shelf.spec(
        shelf.put("a.txt", b"to be or not to be " * 40),
        {},
        model={"name": "gpt", "n_layer": 1, "n_head": 1, "n_embd": 8},
    )
    with pytest.raises(ExportRefused, match="goes on with a text"):
        script.check(spec)
