"""Classes that are rare: a run that balances them finds more of them, and goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import SpecRefused
from core.events import EpochDone, Started
from core.job import EpochRow
from core.loading import data
from core.loading.counting import counts
from core.loop import load_model, train
from core.spec import JobSpec
from tests.core.loop.conftest import TrainJob
from tests.core.loop.interrupting import After, Bench, pieced
from tests.core.uploading import Shelf

SGD: dict[str, Any] = {"optimizer": {"name": "sgd", "momentum": 0.9}, "lr": 0.05}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


def _rare(shelf: Shelf, **fields: Any) -> JobSpec:
    """Of 1,500 points one in twenty is ill: two clouds that overlap."""
    draw = np.random.default_rng(0)
    ill = draw.random(1500) < 0.05
    points = draw.standard_normal((1500, 2)) + 1.2 * ill[:, None]
    lines = [f"{x:.4f},{y:.4f},{'ill' if one else 'fit'}" for (x, y), one in zip(points, ill, strict=True)]
    dataset = shelf.put("rare.csv", "\n".join(["x,y,state", *lines]).encode())
    return shelf.spec(dataset, {"target": "state"}, **{"epochs": 10, "metrics": ["f1"], **SGD, **fields})


def _labels(shelf: Shelf, **fields: Any) -> JobSpec:
    draw = np.random.default_rng(1)
    lines = [f"{x:.4f},{int(x > 1.5)},{int(x > 0)}" for x in draw.standard_normal(300)]
    dataset = shelf.put("labels.csv", "\n".join(["x,far,up", *lines]).encode())
    return shelf.spec(dataset, {"target": ["far", "up"]}, **{"epochs": 3, **SGD, **fields})


def _last(spec: JobSpec, shelf: Shelf, folder: Path) -> EpochRow:
    told = list(train(spec, folder=folder, datasets=shelf.folder))
    return [one.row for one in told if isinstance(one, EpochDone)][-1]


def _recalls(spec: JobSpec, folder: Path, shelf: Shelf) -> float:
    """The balanced accuracy over what validates: the mean of the classes' recalls."""
    held = data.make(spec, cache=None, datasets=shelf.folder).held
    assert held is not None
    scores = load_model(folder)(held.x)
    found = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(1) == 1
    return float(np.mean([(found[held.y == one] == one).float().mean().item() for one in (0, 1)]))


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_balanced_classes_are_found_better(shelf: Shelf, tmp_path: Path, loss: str) -> None:
    rows, recalls = [], []
    for chosen in (loss, {"name": loss, "class_weight": "balanced"}):
        spec = _rare(shelf, loss=chosen)
        rows.append(_last(spec, shelf, tmp_path))
        recalls.append(_recalls(spec, tmp_path, shelf))
    assert recalls[1] > recalls[0] + 0.2
    assert rows[1].metrics["val_f1"] > rows[0].metrics["val_f1"]


def test_labels_can_be_balanced(shelf: Shelf, tmp_path: Path) -> None:
    spec = _labels(shelf, loss={"name": "bce", "pos_weight": "balanced", "label_smoothing": 0.1})
    made = data.make(spec, cache=None, datasets=shelf.folder)
    assert counts(made.train, spec.data_shape).each == tuple(made.train.y.sum(0).int().tolist())
    assert _last(spec, shelf, tmp_path).val_loss is not None
    with pytest.raises(SpecRefused, match="take pos_weight"):
        _labels(shelf, loss={"name": "bce", "class_weight": "balanced"})


def test_what_validates_is_weighed_as_what_trains(train_job: TrainJob) -> None:
    job: dict[str, Any] = {"dataset": "iris", "model": "linear", "epochs": 1, "lr": 1e-9, "metrics": []}
    plain = train_job(**job).rows[0]
    twice = train_job(**job, loss={"name": "cross_entropy", "class_weight": [2, 2, 2]}).rows[0]
    assert twice.train_loss == pytest.approx(2 * plain.train_loss)
    assert twice.val_loss == pytest.approx(2 * (plain.val_loss or 0))


def test_mixed_batches_are_weighed_and_a_run_goes_on_exactly(bench: Bench) -> None:
    job: dict[str, Any] = {
        "dataset": "wine",
        "model": "mlp",
        "epochs": 3,
        "augment": ["mixup"],
        "loss": {"name": "cross_entropy", "class_weight": "balanced", "label_smoothing": 0.1},
    }
    whole = bench.attempt(job)
    stopped = bench.attempt(job, stop=After(9))
    [kept] = stopped.checkpoints
    assert kept.step, "in mid-epoch"
    assert pieced(stopped, kept, bench.attempt(job, kept)) == whole.bits


def test_a_run_of_weighed_classes_goes_on_where_it_begins_by_judging(bench: Bench) -> None:
    job: dict[str, Any] = {"dataset": "moons", "model": "linear", "epochs": 2, "checkpoints": {"every_s": 0}}
    job["loss"] = {"name": "cross_entropy", "class_weight": "balanced"}
    first = bench.attempt(job)
    trained = next(
        one for one in first.checkpoints if (one.epoch, one.step) == (0, first.every(Started)[0].steps_per_epoch)
    )
    assert pieced(first, trained, bench.attempt(job, trained)) == first.bits


def test_each_fold_is_balanced_by_its_own_training_part(train_job: TrainJob) -> None:
    job: dict[str, Any] = {
        "dataset": "wine",
        "model": "linear",
        "epochs": 2,
        "loss": {"name": "cross_entropy", "class_weight": "balanced"},
    }
    whole = train_job(**job, split={"folds": 2, "test": 0.2, "stratify": False, "seed": 1})
    alone = [train_job(**job, split={"folds": 2, "fold": n, "test": 0.2, "stratify": False, "seed": 1}) for n in (1, 2)]
    assert [row.figures() for row in whole.rows] == [row.figures() for one in alone for row in one.rows]
    assert whole.card["weights"]["fold"] == 1, "not the one that was trained last"
    assert whole.finished.test == alone[0].finished.test
