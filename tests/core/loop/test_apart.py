"""Files that validate and test in a run: everything is fitted on the one that trains alone."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.errors import InvalidData
from core.events import EpochDone, Finished
from core.loading import data
from core.loop import train
from core.shelf import Folders
from core.shelf import Shelf as Files
from core.spec import JobSpec, parse_spec
from tests.core.intake.zipping import picture, zipped
from tests.core.loop.interrupting import Bench, pieced
from tests.core.uploading import Shelf, looked_into

TRAIN = "x,c,kind\n" + "".join(f"{place},{'ab'[place % 2]},{['u', 'v', 'w'][place % 3]}\n" for place in range(30))
HELD = "c,kind,x,extra\n" + "".join(
    f"{'ac'[place % 2]},{['w', 'u'][place % 2]},{place * 100},1\n" for place in range(8)
)
TESTED = "x,c,kind\n5,,v\n,b,v\n"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="module")
def chosen(shelf: Shelf) -> JobSpec:
    whole, held, tested = (shelf.put(f"{len(one)}.csv", one.encode()) for one in (TRAIN, HELD, TESTED))
    return shelf.spec(whole, {"target": "kind", "validation": held, "test": tested}, epochs=3, lr=0.1)


def made(spec: JobSpec, shelf: Shelf) -> data.Data:
    return data.make(spec, cache=None, datasets=shelf.folder)


def test_a_table_is_encoded_and_scaled_by_the_file_that_trains(chosen: JobSpec, shelf: Shelf) -> None:
    found = made(chosen, shelf)
    assert found.held is not None
    assert found.test is not None
    assert (len(found.train.y), len(found.held.y), len(found.test.y)) == (30, 8, 2)
    alone = made(shelf.spec(shelf.put("x.csv", TRAIN.encode()), {"target": "kind"}, split={"validation": 0}), shelf)
    assert found.columns.features.statistics() == alone.columns.features.statistics()
    assert found.columns.class_names == ("u", "v", "w")
    every = torch.arange(8)
    assert found.held.take(every).y.tolist() == [2, 0, 2, 0, 2, 0, 2, 0]
    back = found.columns.features.undo(found.held.take(every).x)
    assert back[:, 0].tolist() == pytest.approx([place * 100.0 for place in range(8)], abs=1e-4)
    # a, then the word that training never had
    assert back[:2, 1].tolist() == [1, 0]
    assert found.columns.features.undo(found.test.take(torch.arange(2)).x)[1, 0].item() == pytest.approx(14.5)


def test_the_figures_are_those_of_the_files(chosen: JobSpec, shelf: Shelf, tmp_path: Path) -> None:
    told = list(train(chosen, folder=tmp_path, datasets=shelf.folder))
    rows = [one.row for one in told if isinstance(one, EpochDone)]
    done = next(one for one in told if isinstance(one, Finished))
    assert all(row.metrics["val_accuracy"] * 8 == pytest.approx(round(row.metrics["val_accuracy"] * 8)) for row in rows)
    assert done.test is not None
    assert done.test["accuracy"] in {0, 0.5, 1}
    assert json.loads((tmp_path / "model.json").read_text())["spec"]["dataset"]["validation"].startswith("ds_")


def test_a_run_on_several_files_goes_on_exactly(bench: Bench, shelf: Shelf, chosen: JobSpec) -> None:
    fields = {**chosen.model_dump(mode="json"), "epochs": 2, "checkpoints": {"every_epochs": 1}}
    whole = bench.attempt(fields, datasets=shelf.folder)
    again = bench.attempt(fields, whole.checkpoints[0], datasets=shelf.folder)
    assert again.resumed is not None
    assert pieced(whole, whole.checkpoints[0], again) == whole.bits


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_file_that_changed_is_invalid_data_naming_the_part(chosen: JobSpec, shelf: Shelf, part: str) -> None:
    facts = chosen.dataset.settings()["facts"]
    path = shelf.folder / facts.apart[part].sha256
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    try:
        with pytest.raises(InvalidData, match="SHA-256 differs") as caught:
            made(chosen, shelf)
    finally:
        path.write_bytes(content)
    assert caught.value.param == f"/dataset/{part}"


def test_booleans_numbers_and_parquet_keep_their_classes(shelf: Shelf) -> None:
    whole = shelf.put(
        "whole.csv",
        b"x,ok,grade\n" + b"".join(b"%d,%s,%d\n" % (n, [b"true", b"false"][n % 2], n % 3 * 10) for n in range(12)),
    )
    file = io.BytesIO()
    pl.DataFrame({"x": [1.0, 2.0], "ok": [True, True], "grade": [20, 10]}).write_parquet(file)
    held = shelf.put("held.parquet", file.getvalue())
    by = shelf.spec(whole, {"target": "ok", "features": ["x"], "validation": held})
    found = made(by, shelf).held
    assert found is not None
    assert found.take(torch.arange(2)).y.tolist() == [1, 1]
    grades = shelf.spec(whole, {"target": "grade", "task": "classes", "features": ["x"], "validation": held})
    found = made(grades, shelf).held
    assert found is not None
    assert found.take(torch.arange(2)).y.tolist() == [2, 1]


def npz(x: Any, y: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x, y=y)
    return file.getvalue()


def test_arrays_and_pictures_come_in_several_files_too(shelf: Shelf, tmp_path: Path) -> None:
    whole = shelf.put("a.npz", npz(np.eye(4), np.array(["b", "a", "c", "b"])))
    held = shelf.put("b.npz", npz(np.ones((2, 4)), np.array(["c", "b"])))
    found = made(shelf.spec(whole, {"validation": held}, model="linear"), shelf).held
    assert found is not None
    assert found.take(torch.arange(2)).y.tolist() == [2, 1]
    dots = shelf.put("a.zip", pictures(tmp_path / "a", cat=2, dog=2, owl=2))
    more = shelf.put("b.zip", pictures(tmp_path / "b", owl=3, dog=1))
    found = made(shelf.spec(dots, {"test": more}, model="mlp", split={"validation": 0}), shelf).test
    assert found is not None
    assert found.take(torch.arange(4)).y.tolist() == [1, 2, 2, 2]


def test_a_class_that_nobody_could_count_beforehand_is_invalid_data(shelf: Shelf) -> None:
    whole = shelf.put("a.npz", npz(np.eye(4), np.array([0, 1, 2, 1])))
    odd = shelf.put("odd.npz", npz(np.ones((2, 4)), np.array([1, 7])))
    with pytest.raises(InvalidData, match="classes that do not train: '7'") as caught:
        made(shelf.spec(whole, {"test": odd}, model="linear", split={"validation": 0}), shelf)
    assert caught.value.param == "/dataset/test"


def pictures(path: Path, **classes: int) -> bytes:
    files = {f"{name}/{place}.png": picture() for name, count in classes.items() for place in range(count)}
    return zipped(path, files).read_bytes()


def test_a_file_in_the_folder_of_the_files_is_learned_from_as_an_upload_is(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "held.csv").write_text(HELD)
    files = Files(tmp_path, looked_into)
    asked = {"name": "file", "path": "train.csv", "validation": "held.csv", "target": "kind"}
    spec = parse_spec({"dataset": asked, "model": "linear", "epochs": 1}, lambda _: None, files.look)
    held = shelf.put("held.csv", HELD.encode())
    upload = shelf.spec(shelf.put("x.csv", TRAIN.encode()), {"target": "kind", "validation": held}, epochs=1)
    folders = Folders(shelf.folder, tmp_path)
    assert data.make(spec, cache=None, datasets=folders).digest == made(upload, shelf).digest
    (tmp_path / "held.csv").write_text(f"{HELD}a,u,1,1\n")
    with pytest.raises(InvalidData, match=r"held\.csv is not the one that the job was queued with") as caught:
        data.make(spec, cache=None, datasets=folders)
    assert caught.value.param == "/dataset/validation"
    (tmp_path / "train.csv").unlink()
    for where, words in ((folders, "no file"), (Folders(shelf.folder), "TRAINWIRE_FILES")):
        with pytest.raises(InvalidData, match=words):
            data.make(spec, cache=None, datasets=where)


def test_folds_are_tested_by_a_file_of_its_own(shelf: Shelf) -> None:
    whole, tested = shelf.put("x.csv", TRAIN.encode()), shelf.put("t.csv", TESTED.encode())
    chosen = shelf.spec(whole, {"target": "kind", "test": tested}, split={"folds": 3})
    assert [one.split_sizes for one in chosen.rounds] == [(20, 10, 2)] * 3
    found = [made(one, shelf) for one in chosen.rounds]
    held = torch.cat([one.held.take(torch.arange(10)).x for one in found if one.held is not None])
    assert len(held) == 30
    assert all(one.test is not None and one.test.take(torch.arange(2)).y.tolist() == [1, 1] for one in found)
