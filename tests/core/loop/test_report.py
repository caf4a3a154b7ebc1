"""The report of a run: the figures of the kept weights over what was held back, and the rows that they miss most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from core import report
from core.events import EpochDone, Finished, Noticed
from core.loading import data
from core.loop import load_model, load_preprocess, train
from core.spec import JobSpec, parse_spec
from core.views import ReportView
from tests.core.loop.conftest import Told, TrainJob
from tests.core.loop.interrupting import Attempt, Bench
from tests.core.uploading import Shelf

MOONS: dict[str, Any] = {"dataset": {"name": "moons", "samples": 300}, "model": "mlp", "epochs": 3, "lr": 0.01}
CSV = "x,y\n" + "".join(f"{place / 50},{place % 7 if place != 111 else 1000}\n" for place in range(150))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return Shelf(folder)


def read(folder: Path) -> ReportView:
    return ReportView.model_validate_json((folder / "report.json").read_bytes())


def attempted(spec: JobSpec, shelf: Shelf, folder: Path) -> tuple[ReportView, Any, Finished]:
    """The report, the last epoch's row, and the end."""
    events = list(train(spec, folder=folder, datasets=shelf.folder))
    [*_, row] = [event.row for event in events if isinstance(event, EpochDone)]
    assert isinstance(events[-1], Finished)
    return read(folder), row, events[-1]


def test_the_figures_are_those_of_the_last_epoch(train_job: TrainJob) -> None:
    told = train_job(**MOONS, metrics=["accuracy", "f1", "auroc"])
    found, row = read(told.folder), told.rows[-1]
    assert (found.part, found.kind, found.samples, found.epoch) == ("validation", "classes", 60, 3)
    assert found.figures == {"loss": row.val_loss, **{name[4:]: value for name, value in row.metrics.items()}}
    classes = found.classes
    assert classes is not None
    assert classes.roc is not None
    assert classes.accuracy == pytest.approx(row.metrics["val_accuracy"])
    assert classes.each[1].f1 == pytest.approx(row.metrics["val_f1"])
    assert classes.roc.area == pytest.approx(row.metrics["val_auroc"])
    assert [file.name for file in told.finished.artifacts] == ["model.safetensors", "model.json", "report.json"]


def test_the_best_weights_are_the_ones_reported(train_job: TrainJob) -> None:
    told = train_job(**{**MOONS, "epochs": 12, "lr": 0.3}, early_stopping={"patience": 12})
    best = min(told.rows, key=lambda row: row.val_loss or 0)
    assert best is not told.rows[-1]
    found = read(told.folder)
    assert (found.epoch, found.figures["loss"]) == (best.epoch, best.val_loss)


def test_the_test_part_goes_before_the_validation_part(train_job: TrainJob) -> None:
    told = train_job(**MOONS, split={"test": 0.1})
    found = read(told.folder)
    assert (found.part, found.samples) == ("test", 30)
    assert found.figures == told.finished.test


def test_of_folds_the_best_one_is_reported(train_job: TrainJob) -> None:
    told = train_job(dataset="iris", model="linear", epochs=3, lr=0.05, split={"folds": 3})
    found, folds = read(told.folder), told.finished.folds
    assert folds is not None
    best = min(folds["figures"], key=lambda one: one["val_loss"])
    assert (found.fold, found.epoch, found.figures["loss"]) == (best["fold"], best["epoch"], best["val_loss"])


def test_a_job_that_holds_nothing_back_has_none(train_job: TrainJob) -> None:
    told = train_job(**MOONS, split={"validation": 0})
    assert [file.name for file in told.finished.artifacts] == ["model.safetensors", "model.json"]
    assert not (told.folder / "report.json").exists()


@pytest.mark.parametrize("split", [{}, {"test": 0.2}], ids=["validation", "test"])
def test_the_worst_row_is_found_in_the_file(shelf: Shelf, tmp_path: Path, split: dict[str, float]) -> None:
    settings = {"target": "y"}
    spec = shelf.spec(shelf.put("rows.csv", CSV.encode()), settings, model="linear", split={"seed": 4, **split})
    held = data.make(spec, cache=None, datasets=shelf.folder).rows["test" if split else "validation"].tolist()
    found, row, finished = attempted(spec, shelf, tmp_path)
    numbers = found.numbers
    assert numbers is not None
    [target] = numbers.each
    assert target.name == "y"
    assert target.rmse == pytest.approx((finished.test or {}).get("rmse", row.metrics["val_rmse"]))
    cells = [line.split(",") for line in CSV.splitlines()[1:]]
    for worst in found.worst:
        assert worst.row in held
        assert worst.true == [float(cells[worst.row - 1][1])]
        answer = load_model(tmp_path)(load_preprocess(tmp_path)([{"x": float(cells[worst.row - 1][0])}]))
        made = load_preprocess(tmp_path).undo(answer).item()
        assert worst.error == pytest.approx(abs(made - float(cells[worst.row - 1][1])), rel=1e-3)


def test_a_row_of_a_file_of_its_own_is_counted_there(shelf: Shelf, tmp_path: Path) -> None:
    other = shelf.put("other.csv", b"x,y\n0.1,1\n0.2,999\n0.3,2\n")
    settings = {"target": "y", "validation": other}
    spec = shelf.spec(shelf.put("rows.csv", CSV.encode()), settings, model="linear", split={"validation": 0})
    found, _, _ = attempted(spec, shelf, tmp_path)
    assert found.worst[0].row == 2
    assert sorted(one.row for one in found.worst) == [1, 2, 3]


def test_a_forecast_is_told_step_by_step(shelf: Shelf, tmp_path: Path) -> None:
    rows = [f"{60 - place},{place % 5 if place != 3 else 500}" for place in range(60)]  # the latest come first
    series = {"time": "t", "window": 3, "horizon": 2}
    content = "\n".join(["t,y", *rows, ""]).encode()
    spec = shelf.spec(shelf.put("series.csv", content), {"target": "y", "series": series}, model="linear")
    found, _, _ = attempted(spec, shelf, tmp_path)
    assert found.numbers is not None
    assert [one.name for one in found.numbers.each] == ["y +1", "y +2"]
    worst = found.worst[0]
    assert isinstance(worst.true, list)
    ahead = next(step for step, value in enumerate(worst.true) if value == 500)
    assert worst.row == 4 + ahead  # the row of the file that the window forecasts first


def test_a_text_is_told_by_place_in_the_window(shelf: Shelf, tmp_path: Path) -> None:
    spec = shelf.spec(
        shelf.put("a.txt", b"so it goes, and on. " * 60),
        {},
        model={"name": "gpt", "n_layer": 1, "n_head": 1, "n_embd": 8, "dropout": 0},
        epochs=1,
        preprocess={"text": "bytes", "block_size": 16},
        metrics=["bits_per_byte", "perplexity"],
    )
    found, row, _ = attempted(spec, shelf, tmp_path)
    tokens = found.tokens
    assert tokens is not None
    assert tokens.loss == pytest.approx(row.val_loss, rel=1e-5)
    assert tokens.bits_per_byte == pytest.approx(row.metrics["val_bits_per_byte"], rel=1e-5)
    assert tokens.perplexity == pytest.approx(row.metrics["val_perplexity"], rel=1e-5)
    assert len(tokens.by_position) == 16
    assert sum(one.tokens for one in tokens.by_position) == tokens.tokens


def test_labels_are_told_one_by_one(shelf: Shelf, tmp_path: Path) -> None:
    rows = "".join(f"{place / 60},{place % 2},{int(place > 30)}\n" for place in range(60))
    settings = {"target": ["odd", "big"]}
    spec = shelf.spec(shelf.put("l.csv", f"x,odd,big\n{rows}".encode()), settings, model="mlp", metrics=["f1", "auroc"])
    found, row, _ = attempted(spec, shelf, tmp_path)
    labels = found.labels
    assert labels is not None
    assert [one.name for one in labels.each] == ["odd", "big"]
    assert labels.macro.f1 == pytest.approx(row.metrics["val_f1"])
    assert sum(one.area or 0 for one in labels.each) / 2 == pytest.approx(row.metrics["val_auroc"])


def test_a_reconstruction_is_told_by_feature(train_job: TrainJob) -> None:
    told = train_job(dataset="digits", model="autoencoder", epochs=1)
    found = read(told.folder).reconstruction
    assert found is not None
    assert found.rmse == pytest.approx((told.rows[-1].val_loss or 0) ** 0.5, rel=1e-5)
    assert len(found.features) == 64
    assert found.features[0].name.startswith("pixel_")


def test_a_run_that_dies_at_its_very_end_makes_the_same_report_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {**MOONS, "dataset": {"name": "moons", "samples": 80}, "checkpoints": {"every_s": 0}}
    whole = bench.attempt(fields)
    with monkeypatch.context() as patched:
        patched.setattr("core.loop.training.failpoint", _dies_at("finish.after_weights"))
        with pytest.raises(KeyboardInterrupt):
            bench.attempt(fields)
    later = bench.attempt(fields, *reversed(whole.checkpoints))
    assert later.resumed is not None
    assert _bytes(later) == _bytes(whole)


def test_what_cannot_be_reported_is_a_notice_and_the_model_stays(
    train_job: TrainJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise IndexError("no such class")

    monkeypatch.setattr(report, "of_classes", fails)
    told: Told = train_job(**MOONS)
    [notice] = [event for event in told.events if isinstance(event, Noticed)]
    assert (notice.code, "IndexError: no such class" in notice.message) == ("no_report", True)
    assert [file.name for file in told.finished.artifacts] == ["model.safetensors", "model.json"]
    assert load_model(told.folder)(torch.zeros(1, 2)).shape == (1, 1)


def test_a_report_of_a_thousand_classes_and_long_names_stays_small(shelf: Shelf, tmp_path: Path) -> None:
    rows = "".join(f"{place},{place % 900}{'n' * 300}\n" for place in range(4500))
    spec = shelf.spec(shelf.put("c.csv", f"x,kind\n{rows}".encode()), {"target": "kind"}, model="linear", epochs=1)
    attempted(spec, shelf, tmp_path)
    assert (tmp_path / "report.json").stat().st_size < 1_000_000


def _dies_at(place: str) -> Any:
    def failpoint(name: str) -> None:
        if name == place:
            raise KeyboardInterrupt

    return failpoint


def _bytes(attempt: Attempt) -> bytes:
    return (attempt.folder / "report.json").read_bytes()


def test_a_report_is_json_without_what_json_has_not(train_job: TrainJob) -> None:
    told = train_job(**{**MOONS, "split": {"validation": 0.01, "stratify": False}})
    json.loads((told.folder / "report.json").read_text(), parse_constant=pytest.fail)
    assert parse_spec(MOONS).split.validation == 0.2
