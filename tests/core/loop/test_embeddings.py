"""Words that a model embeds, in a run: by the words of the training part, the same from a file, and ever after."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from core.events import EpochDone
from core.loading import data
from core.loop import load_model, load_preprocess, train
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench
from tests.core.loop.test_resume import resumes_exactly
from tests.core.uploading import Shelf

MODEL: dict[str, Any] = {"name": "resmlp", "n_blocks": 1, "d_block": 16, "d_hidden": 16, "embeddings": "auto"}
TOWNS = 150


def towns() -> pl.DataFrame:
    """Which town it is decides, in a way that no order of the towns tells; some cells are empty."""
    rows = range(12 * TOWNS)
    return pl.DataFrame(
        {
            "town": [f"town {row % TOWNS:03}" if row % 40 else None for row in rows],
            "size": [float(row % 7) for row in rows],
            "kind": ["rare" if row == 5 else "usual" for row in rows],
            "y": ["yes" if row % TOWNS * 7919 % 101 % 2 else "no" for row in rows],
        }
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def written(frame: pl.DataFrame, form: str) -> bytes:
    file = io.BytesIO()
    frame.write_csv(file) if form == "csv" else frame.write_parquet(file)
    return file.getvalue()


def spec_of(shelf: Shelf, *, form: str = "csv", **fields: Any) -> JobSpec:
    usual = {"model": MODEL, "lr": 0.01, "epochs": 2, "batch_size": 64}
    return shelf.spec(shelf.put(f"towns.{form}", written(towns(), form)), {"target": "y"}, **{**usual, **fields})


def test_codes_reach_the_model_as_they_are_and_numbers_are_scaled(shelf: Shelf) -> None:
    found = data.make(spec_of(shelf), cache=None, datasets=shelf.folder)
    x, encoder = found.train.x, found.columns.encoder
    assert encoder is not None
    assert [code.name for code in encoder.codes] == ["size", "town", "kind"]
    assert found.columns.feature_names == ("size", "town", "kind")
    assert x[:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert sorted(set(x[:, 1].tolist())) == [0.0, *(float(code) for code in range(2, TOWNS + 2))]


@pytest.mark.parametrize("features", ["standard", "minmax", "none"])
def test_a_column_of_one_word_in_training_keeps_its_codes(shelf: Shelf, features: str) -> None:
    rows = "".join(f"{row},{'odd' if row > 97 else 'usual'},{'yn'[row % 2]}\n" for row in range(100))
    upload = shelf.put("t.csv", f"x,kind,y\n{rows}".encode())
    split: dict[str, Any] = {"time": "x", "validation": 0.02}
    spec = shelf.spec(upload, {"target": "y"}, model=MODEL, split=split, preprocess={"features": features})
    found = data.make(spec, cache=None, datasets=shelf.folder)
    assert found.held is not None
    assert set(found.train.x[:, -1].tolist()) == {2.0}
    assert found.held.x[:, -1].tolist() == [1.0, 1.0], "a word that did not train"


def accuracy(spec: JobSpec, folder: Path) -> float:
    events = train(spec, folder=folder / "model", datasets=folder)
    return [event.row for event in events if isinstance(event, EpochDone)][-1].metrics["val_accuracy"]


@pytest.mark.parametrize("model", [{"name": "mlp", "embeddings": 8}, MODEL], ids=lambda model: model["name"])
def test_many_words_are_learned_that_have_no_places_of_their_own(
    shelf: Shelf, tmp_path: Path, model: dict[str, Any]
) -> None:
    assert accuracy(spec_of(shelf, model=model, epochs=12), tmp_path) > 0.9
    assert accuracy(spec_of(shelf, model={**model, "embeddings": None}, epochs=12), tmp_path) < 0.85


def test_a_transformer_reads_each_column_of_words_as_one_token(shelf: Shelf, tmp_path: Path) -> None:
    small = {"n_blocks": 1, "d_block": 16, "attention_n_heads": 2, "ffn_d_hidden": 16}
    spec = spec_of(shelf, model={"name": "ft_transformer", **small, "embeddings": "auto"}, epochs=10)
    assert spec.model_shape.features == (3,)
    assert accuracy(spec, tmp_path) > 0.9


def test_a_trained_model_takes_rows_as_they_are_and_words_that_it_never_saw(shelf: Shelf, tmp_path: Path) -> None:
    spec = spec_of(shelf, epochs=12)
    for _ in train(spec, folder=tmp_path / "model", datasets=tmp_path):
        pass
    model, prepare = load_model(tmp_path / "model"), load_preprocess(tmp_path / "model")
    frame = towns().with_row_index().filter(pl.col("index") < 200)
    with torch.no_grad():
        scores = model(prepare(frame.to_dicts())).squeeze(1)
        unknown = model(prepare([{"town": name, "size": 3, "kind": "usual"} for name in ("nowhere", "elsewhere")]))
    right = [(score > 0) == (word == "yes") for score, word in zip(scores.tolist(), frame["y"], strict=True)]
    assert sum(right) > 0.9 * len(right)
    assert unknown[0] == unknown[1]
    assert prepare([{"town": None, "size": "3", "kind": "?"}])[0, 1:].tolist() == [0, 0]
    assert prepare([{"town": "nowhere", "size": 3, "kind": "usual"}])[0, 1] == 1


@pytest.mark.parametrize("features", ["standard", "none"])
def test_a_streamed_table_gives_the_same_bits(shelf: Shelf, bench: Bench, features: str) -> None:
    rows = []
    for streaming in (True, False):
        loader = {"streaming": streaming, "shuffle": False}
        spec = spec_of(shelf, form="parquet", loader=loader, preprocess={"features": features}, epochs=1)
        rows += bench.attempt(spec.model_dump(mode="json"), datasets=shelf.folder).rows
    assert rows[0].figures() == rows[1].figures()


def test_each_fold_knows_the_words_of_its_own_training_part(shelf: Shelf, tmp_path: Path) -> None:
    sizes = []
    for fold in (1, 2):
        spec = spec_of(shelf, split={"folds": 2, "fold": fold})
        found = data.make(spec, cache=None, datasets=shelf.folder)
        [_, _, kinds] = found.columns.encoder.statistics() if found.columns.encoder else []
        sizes.append(len(kinds["values"]))
        assert kinds["codes"] == 4
    assert sorted(sizes) == [1, 2], "one row alone is rare, and it is in one of the folds"
    for _ in train(spec_of(shelf, split={"folds": 2}, epochs=1), folder=tmp_path / "model", datasets=tmp_path):
        pass
    assert load_preprocess(tmp_path / "model").encoder is not None


@pytest.mark.parametrize(
    "model", [MODEL, {"name": "ft_transformer", "n_blocks": 1, "d_block": 8, "embeddings": "auto"}]
)
def test_a_run_goes_on_exactly(bench: Bench, shelf: Shelf, model: dict[str, Any]) -> None:
    spec = spec_of(shelf, model=model, batch_size=400).model_dump(mode="json")
    resumes_exactly(bench, spec, stride=3, datasets=shelf.folder)
