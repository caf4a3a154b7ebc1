"""Several targets in a run: each number in its own unit, and labels by their columns or as words in one."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.events import EpochDone, Finished
from core.job import EpochRow
from core.loading import data
from core.loop import load_model, load_preprocess, train
from core.spec import JobSpec
from tests.core.uploading import Shelf

ROWS = [(x / 10, x % 2, int(x > 30)) for x in range(60)]
LABELS = {(0, 0): "|", (1, 0): "odd", (0, 1): "big", (1, 1): "big | odd"}
CSV = "x,odd,big,names,double,far\n" + "".join(
    f"{x},{odd},{str(bool(big)).lower()},{LABELS[odd, big]},{2 * x},{1000 - 100 * x}\n" for x, odd, big in ROWS
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


def spec(shelf: Shelf, fields: dict[str, Any] | None = None, **settings: Any) -> JobSpec:
    return shelf.spec(shelf.put("rows.csv", CSV.encode()), settings, **(fields or {}))


def made(spec: JobSpec, shelf: Shelf) -> data.Data:
    return data.make(spec, cache=None, datasets=shelf.folder)


def rows(spec: JobSpec, shelf: Shelf, folder: Path) -> Iterator[EpochRow]:
    for told in train(spec, folder=folder, datasets=shelf.folder):
        if isinstance(told, EpochDone):
            yield told.row


def test_each_number_is_scaled_by_itself_and_comes_back_in_its_own_unit(shelf: Shelf, tmp_path: Path) -> None:
    fields = {"epochs": 100, "lr": 0.05, "metrics": ["rmse", "r2"], "split": {"test": 0.1}}
    chosen = spec(shelf, fields, target=["far", "double"], features=["x"])
    found = made(chosen, shelf)
    assert found.train.y.shape == (42, 2)
    assert torch.allclose(found.train.y.std(0, correction=0), torch.ones(2))
    last = list(rows(chosen, shelf, tmp_path))[-1]
    assert last.metrics["val_r2"] > 0.99
    prepare = load_preprocess(tmp_path)
    answer = prepare.undo(load_model(tmp_path)(prepare([{"x": 2.0}, {"x": 5.0}])))
    assert answer.tolist() == [pytest.approx([800, 4], abs=40), pytest.approx([500, 10], abs=40)]


def test_labels_are_the_same_as_columns_and_as_words_of_one(shelf: Shelf) -> None:
    columns = made(spec(shelf, target=["big", "odd"], features=["x"]), shelf)
    words = made(spec(shelf, target="names", target_separator="|", features=["x"]), shelf)
    assert columns.columns.class_names == words.columns.class_names == ("big", "odd")
    assert columns.digest == words.digest
    assert set(map(tuple, columns.train.y.tolist())) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_labels_are_learned_each_by_itself(shelf: Shelf, tmp_path: Path) -> None:
    metrics = ["accuracy", "f1", "auroc", "exact_match"]
    fields = {"epochs": 60, "lr": 0.3, "metrics": metrics, "split": {"test": 0.2}, "early_stopping": {"patience": 60}}
    chosen = spec(shelf, fields, target=["big", "odd"], features=["x"])
    told = list(train(chosen, folder=tmp_path, datasets=shelf.folder))
    done = next(one for one in told if isinstance(one, Finished))
    assert done.test is not None
    assert set(done.test) == {"loss", *metrics}
    card = json.loads((tmp_path / "model.json").read_text())
    assert (card["classes"], card["shape"]["outputs"]) == (["big", "odd"], 2)
    prepare = load_preprocess(tmp_path)
    big = load_model(tmp_path)(prepare([{"x": 0.5}, {"x": 5.5}]))[:, 0] > 0
    assert big.tolist() == [False, True]


def test_the_cost_of_labels_is_the_mean_over_samples_and_labels(shelf: Shelf, tmp_path: Path) -> None:
    chosen = spec(shelf, {"epochs": 1, "optimizer": "sgd", "lr": 1e-9}, target=["big", "odd"], features=["x"])
    (row,) = rows(chosen, shelf, tmp_path)
    held = made(chosen, shelf).held
    assert held is not None
    logits = load_model(tmp_path)(held.x).double()
    cost = -(held.y * logits.sigmoid().log() + (1 - held.y) * (-logits).sigmoid().log()).mean()
    assert row.val_loss == pytest.approx(cost.item())


def test_a_figure_over_a_label_that_nobody_has_is_not_invented(shelf: Shelf, tmp_path: Path) -> None:
    late = CSV.splitlines(keepends=True)
    part = "".join(f"{line.strip()},{'train' if place < 50 else 'validation'}\n" for place, line in enumerate(late[1:]))
    upload = shelf.put("parts.csv", f"{late[0].strip()},part\n{part}".encode())
    settings = {"target": ["big", "odd"], "features": ["x"]}
    chosen = shelf.spec(upload, settings, metrics=["auroc", "accuracy"], epochs=1, split={"column": "part"})
    (row,) = rows(chosen, shelf, tmp_path)
    assert math.isnan(row.metrics["val_auroc"])
    assert np.isfinite(row.metrics["val_accuracy"])


def test_rows_without_one_of_the_targets_are_left_out(shelf: Shelf) -> None:
    upload = shelf.put("gaps.csv", b"x,a,b\n1,1,\n2,3,5\n3,4,6\n4,5,8\n5,6,\n")
    settings = {"target": ["b", "a"], "drop_missing_target": True}
    found = made(shelf.spec(upload, settings, split={"validation": 0}), shelf)
    assert found.columns.target.undo(found.train.take(torch.arange(3)).y).tolist() == [[5, 3], [6, 4], [8, 5]]


@pytest.mark.parametrize("target", [["big", "odd"], ["far", "double"]])
def test_several_targets_are_the_same_where_the_table_stays_in_its_file(shelf: Shelf, target: list[str]) -> None:
    file = io.BytesIO()
    pl.read_csv(CSV.encode()).write_parquet(file)
    upload = shelf.put("rows.parquet", file.getvalue())
    streamed, whole = (
        made(shelf.spec(upload, {"target": target, "features": ["x"]}, loader={"streaming": streaming}), shelf)
        for streaming in (True, False)
    )
    every = torch.arange(48)
    for one, other in zip(streamed.train.take(every), whole.train.take(every), strict=True):
        assert torch.equal(one, other)
    assert streamed.columns.class_names == whole.columns.class_names
