"""Uploads in a run: the very file that was queued, learned from, kept beside the weights and predicted from."""

from __future__ import annotations

import io
import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.errors import InvalidData
from core.loading import data
from core.loop import load_model, load_preprocess, train
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench, pieced
from tests.core.uploading import Shelf

PLANTS = "".join(
    f"{height},{color},{wild},2024-0{1 + place % 9}-15,{kind}\n"
    for place, (height, color, wild, kind) in enumerate(
        [("1.5", "red", "true", "rose"), ("NA", "?", "", "fern"), ("9", "blue", "false", "oak")] * 20
    )
)
CSV = f"height,color,wild,seen,kind\n{PLANTS}".encode()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="module")
def plants(shelf: Shelf) -> JobSpec:
    return shelf.spec(shelf.put("plants.csv", CSV), {"target": "kind"}, epochs=20, lr=0.1)


def made(spec: JobSpec, shelf: Shelf) -> data.Data:
    return data.make(spec, cache=None, datasets=shelf.folder)


def trained(spec: JobSpec, shelf: Shelf, folder: Path) -> Path:
    for _ in train(spec, folder=folder, datasets=shelf.folder):
        pass
    return folder


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_a_table_has_the_shape_that_was_told_at_submission(plants: JobSpec, shelf: Shelf) -> None:
    found = made(plants, shelf)
    assert found.held is not None
    assert found.train.x.shape == (48, *plants.data_shape.features)
    assert found.train.x.dtype == torch.float32
    assert found.columns.class_names == ("fern", "oak", "rose")
    assert found.columns.feature_names is not None
    assert found.columns.feature_names[:3] == ("height", "height missing", "color=blue")
    assert torch.bincount(found.held.y).tolist() == [4, 4, 4]


@pytest.mark.parametrize("form", ["tsv", "parquet", "jsonl"])
def test_a_table_is_the_same_in_every_format(plants: JobSpec, shelf: Shelf, form: str) -> None:
    file, empty = io.BytesIO(), ["NA", "?", ""]
    frame = pl.read_csv(CSV, try_parse_dates=True, null_values=empty)
    {
        "tsv": lambda: frame.write_csv(file, separator="\t"),
        "parquet": lambda: frame.write_parquet(file),
        "jsonl": lambda: frame.write_ndjson(file),
    }[form]()
    spec = shelf.spec(shelf.put(f"plants.{form}", file.getvalue()), {"target": "kind"})
    assert spec.dataset.settings()["facts"].columns == plants.dataset.settings()["facts"].columns
    assert made(spec, shelf).digest == made(plants, shelf).digest


def test_rows_without_a_target_are_left_out(shelf: Shelf) -> None:
    settings = {"target": "height", "drop_missing_target": True}
    found = made(shelf.spec(shelf.put("plants.csv", CSV), settings), shelf)
    assert len(found.train.y) == 32
    assert set(found.columns.target.undo(found.train.y).flatten().tolist()) == {1.5, 9.0}


def test_numbers_and_booleans_can_be_classes(shelf: Shelf) -> None:
    rows = (f"{n},{10 * (n % 3)},{'false' if n % 2 else 'true'}\n" for n in range(30))
    content = f"x,grade,ok\n{''.join(rows)}".encode()
    upload = shelf.put("grades.csv", content)
    grades = made(shelf.spec(upload, {"target": "grade", "task": "classes"}), shelf)
    assert grades.columns.class_names == ("0", "10", "20")
    assert made(shelf.spec(upload, {"target": "ok"}), shelf).columns.class_names == ("false", "true")


def test_a_large_number_keeps_its_digits_until_it_is_scaled(shelf: Shelf) -> None:
    content = b"t,y\n" + b"".join(b"%d,%d\n" % (1_700_000_000 + n, 10**12 + n) for n in range(50))
    found = made(shelf.spec(shelf.put("times.csv", content), {"target": "y"}, split={"validation": 0}), shelf)
    assert len(set(found.train.x.flatten().tolist())) == len(set(found.train.y.flatten().tolist())) == 50


def test_arrays_are_learned_from(shelf: Shelf) -> None:
    x = np.arange(60.0).reshape(20, 3)
    labels = made(shelf.spec(shelf.put("a.npz", npz(x=x, y=np.arange(20) % 2)), {}), shelf)
    assert (labels.train.x.shape, labels.train.y.dtype) == ((16, 3), torch.int64)
    numbers = made(shelf.spec(shelf.put("b.npz", npz(x=x, y=x[:, :2] / 7)), {}), shelf)
    assert numbers.train.y.shape == (16, 2)


@pytest.mark.parametrize(("change", "words"), [("gone", "not in the artifacts folder"), ("other", "SHA-256 differs")])
def test_a_job_learns_from_the_very_file_that_it_was_queued_with(shelf: Shelf, change: str, words: str) -> None:
    spec = shelf.spec(shelf.put("plants.csv", CSV + change.encode() + b",,,,oak\n"), {"target": "kind"})
    path = shelf.folder / spec.dataset.settings()["facts"].sha256
    path.write_bytes(CSV) if change == "other" else path.unlink()
    with pytest.raises(InvalidData, match=words) as caught:
        made(spec, shelf)
    assert caught.value.info.param == "/dataset/id"


def test_an_object_array_is_never_unpickled(shelf: Shelf, tmp_path: Path) -> None:
    spec = shelf.spec(shelf.put("a.npz", npz(x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2)), {})
    pickled = npz(x=np.array([print] * 20, object), y=np.arange(20) % 2)
    facts = spec.dataset.settings()["facts"].model_copy(update={"sha256": sha256(pickled).hexdigest()})
    (tmp_path / facts.sha256).write_bytes(pickled)
    forged = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"facts": facts})})
    with pytest.raises(InvalidData, match="cannot be read"):
        data.make(forged, cache=None, datasets=tmp_path)


def test_a_run_on_a_table_goes_on_exactly(bench: Bench, shelf: Shelf, plants: JobSpec) -> None:
    fields = {**plants.model_dump(mode="json"), "epochs": 2, "checkpoints": {"every_s": 0}, "batch_size": 16}
    whole = bench.attempt(fields, datasets=shelf.folder)
    for kept in whole.checkpoints[::2]:
        again = bench.attempt(fields, kept, datasets=shelf.folder)
        assert again.resumed is not None
        assert again.resumed.inexact is None
        assert pieced(whole, kept, again) == whole.bits


def test_loader_processes_give_a_table_s_batches_too(bench: Bench, shelf: Shelf, plants: JobSpec) -> None:
    fields = {**plants.model_dump(mode="json"), "epochs": 2}
    forked = bench.attempt({**fields, "loader": {"num_workers": 1}}, datasets=shelf.folder)
    assert forked.bits == bench.attempt(fields, datasets=shelf.folder).bits


@pytest.fixture(scope="module")
def model(plants: JobSpec, shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(plants, shelf, tmp_path_factory.mktemp("model"))


def answers(model: Path, *rows: dict[str, Any]) -> list[str]:
    prepare = load_preprocess(model)
    return [prepare.classes[place] for place in load_model(model)(prepare(rows)).argmax(1)]


def test_a_trained_model_answers_for_rows_of_the_table(model: Path) -> None:
    rose = {"height": "1.5", "color": "red", "wild": "true", "seen": "2024-01-15", "kind": "no feature"}
    oak = {"height": np.float32(9), "color": "blue", "wild": False, "seen": date(2024, 2, 15)}
    fern = {"height": None, "color": "", "seen": float("nan")}
    assert answers(model, rose, oak, fern) == ["rose", "oak", "fern"]


def test_rows_mean_the_same_as_in_the_file(model: Path, plants: JobSpec, shelf: Shelf) -> None:
    names, *lines = CSV.decode().splitlines()
    rows = [dict(zip(names.split(","), line.split(","), strict=True)) for line in lines]
    found, prepared = made(plants, shelf), load_preprocess(model)(rows)
    assert found.held is not None
    both = torch.cat([found.train.x, found.held.x])
    assert sorted(both.tolist()) == sorted(prepared.tolist())


def test_a_word_that_training_never_saw_is_no_error(model: Path) -> None:
    assert answers(model, {"height": 9, "color": "ultramarine", "wild": False, "seen": "2030-01-01T10:00"}) == ["oak"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"height": "tall"}, "Row 1, column 'height': 'tall'"),
        ({"height": "inf"}, "column 'height'"),
        ({"height": 1, "wild": "perhaps"}, "column 'wild'"),
        ({"height": 1, "wild": True, "seen": "tomorrow"}, "column 'seen'"),
        ({"colour": "red"}, "no column 'height'"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_with_its_place(model: Path, row: dict[str, Any], words: str) -> None:
    known = {"color": "red", "wild": "", "seen": ""}
    with pytest.raises(ValueError, match=words):
        load_preprocess(model)([{**known, **row}])


def test_the_card_holds_what_the_encoding_learned(model: Path) -> None:
    columns = json.loads((model / "model.json").read_text())["preprocess"]["columns"]
    assert [column["name"] for column in columns] == ["height", "color", "wild", "seen"]
    assert columns[0] == {"name": "height", "kind": "number", "mean": pytest.approx(5.25), "missing": True}
    assert columns[1]["values"] == ["blue", "red"]
