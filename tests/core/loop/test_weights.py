"""The trained model as files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_iris

from core import files
from core.loading import data
from core.loop import load_model, load_preprocess
from core.spec import JobSpec, parse_spec

TrainJob = Callable[..., Any]

JOB: dict[str, Any] = {
    "dataset": "iris",
    "model": "linear",
    "optimizer": "sgd",
    "lr": 0.5,
    "batch_size": 4,
    "epochs": 15,
}
STOPPING = {"monitor": "val_loss", "patience": 50}


def val_loss(told: Any, spec: JobSpec, cache: Path) -> float:
    held = data.make(spec, cache=cache).held
    assert held is not None
    with torch.no_grad():
        return torch.nn.functional.cross_entropy(load_model(told.folder)(held.x), held.y).item()


def test_two_files_are_left_and_described(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    assert sorted(path.name for path in told.folder.iterdir()) == ["model.json", "model.safetensors", "report.json"]
    for artifact in told.finished.artifacts:
        content = (told.folder / artifact.path).read_bytes()
        assert artifact.name == artifact.path
        assert (artifact.bytes, artifact.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_weights_are_the_last_epochs_unless_the_best_are_asked_for(train_job: TrainJob, cache: Path) -> None:
    told = train_job(**JOB)
    assert val_loss(told, parse_spec(JOB), cache) == pytest.approx(told.rows[-1].val_loss, rel=1e-6)
    assert (told.card["weights"]["kept"], told.card["weights"]["epoch"]) == ("last", 15)


def test_the_best_epochs_weights_are_restored(train_job: TrainJob, cache: Path) -> None:
    fields = {**JOB, "dataset": "wine", "early_stopping": STOPPING}
    told = train_job(**fields)
    best = min(told.rows, key=lambda row: row.val_loss)
    assert best.epoch < 15
    assert val_loss(told, parse_spec(fields), cache) == pytest.approx(best.val_loss, rel=1e-6)
    assert (told.card["weights"]["kept"], told.card["weights"]["epoch"]) == ("best", best.epoch)


def test_early_stopping_may_keep_the_last_weights(train_job: TrainJob) -> None:
    told = train_job(**JOB, early_stopping={**STOPPING, "restore_best": False})
    assert told.card["weights"]["kept"] == "last"


def test_the_card_says_what_the_model_is(train_job: TrainJob) -> None:
    told = train_job(**JOB)
    told_card = told.card
    assert told_card["classes"] == ["setosa", "versicolor", "virginica"]
    assert told_card["features"][0] == "sepal length (cm)"
    assert told_card["shape"] == {"features": [4], "outputs": 3, "vocabulary": None}
    assert told_card["weights"]["parameters"] == 15
    assert told_card["figures"]["last"] == told.rows[-1].public()
    assert told_card["figures"]["best"] == min(told.rows, key=lambda row: row.val_loss).public()
    assert told_card["preprocess"]["features"]["kind"] == "standard"
    assert told_card["versions"]["torch"] == torch.__version__
    assert JobSpec.model_validate(told_card["spec"]) == parse_spec(JOB)


@pytest.mark.parametrize("where", [".", "model.json", "model.safetensors"])
def test_a_model_and_its_scaling_take_raw_rows(train_job: TrainJob, where: str) -> None:
    told = train_job(**JOB)
    model, prepare = load_model(told.folder / where), load_preprocess(told.folder / where)
    assert not model.training
    table = load_iris()
    classes = model(prepare(table.data)).argmax(1).numpy()
    assert (classes == table.target).mean() > 0.9
    assert prepare.classes == tuple(table.target_names)


def test_predicted_numbers_come_back_in_their_own_unit(train_job: TrainJob) -> None:
    told = train_job(dataset="diabetes", model="linear", preprocess={"target": "standard"}, lr=0.01)
    model, prepare = load_model(told.folder), load_preprocess(told.folder)
    table = load_diabetes()
    errors = prepare.undo(model(prepare(table.data)).detach()).numpy()[:, 0] - table.target
    assert np.sqrt((errors**2).mean()) < 65


@pytest.mark.parametrize(
    "model", [{"name": "cnn", "channels": [4]}, {"name": "mlp", "hidden": [8], "batch_norm": True}], ids=["cnn", "mlp"]
)
def test_every_model_comes_back(train_job: TrainJob, cache: Path, model: dict[str, Any]) -> None:
    fields = {"dataset": "digits", "model": model, "epochs": 1}
    told = train_job(**fields)
    assert val_loss(told, parse_spec(fields), cache) == pytest.approx(told.rows[-1].val_loss, rel=1e-5)


def test_weights_of_another_run_are_refused(train_job: TrainJob) -> None:
    one, other = train_job(**JOB), train_job(**{**JOB, "seed": 1})
    (one.folder / "model.safetensors").write_bytes((other.folder / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match="SHA-256"):
        load_model(one.folder)


def test_a_file_is_never_seen_half_written(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with files.written(path) as draft:
        draft.write_text("half")
        assert not path.exists()
        draft.write_text("whole")
    assert path.read_text() == "whole"


def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), files.written(path) as draft:
        draft.unlink()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


IN_ANOTHER_LOCALE = """
import sys
from pathlib import Path
from core.loop import load_model, train
from core.spec import parse_spec
spec = parse_spec({"name": "\\u00e9p\\u00e9e", "dataset": "iris", "model": "linear", "epochs": 1})
list(train(spec, folder=Path(sys.argv[1])))
load_model(sys.argv[1])
"""


@pytest.mark.full
def test_the_card_is_utf_8_whatever_the_locale_says(tmp_path: Path) -> None:
    ascii_only = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    subprocess.run([sys.executable, "-c", IN_ANOTHER_LOCALE, str(tmp_path)], env=ascii_only, check=True, timeout=120)
    assert json.loads((tmp_path / "model.json").read_bytes())["name"] == "épée"
