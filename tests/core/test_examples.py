"""Every example is trained to its end and learns what it is there to show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.events import EpochDone, Finished, RunEvent
from core.job import EpochRow, Reason
from core.loop import train
from core.spec import parse_spec

FOLDER = Path(__file__).parents[2] / "examples"

ACCURACY = {
    "01_digits_mlp.json": 0.97,
    "02_iris_linear.json": 0.93,
    "03_breast_cancer_logistic.json": 0.95,
    "04_moons_mlp.json": 0.94,
    "07_digits_cnn.json": 0.97,
    "08_spirals_checkpoints.json": 0.93,
    "11_digits_augmented.json": 0.985,
    "13_digits_layers.json": 0.98,
    "16_breast_cancer_auto.json": 0.97,
}


def _run(name: str, folder: Path) -> tuple[list[EpochRow], RunEvent]:
    events = list(train(parse_spec(json.loads((FOLDER / name).read_text())), folder=folder))
    return [event.row for event in events if isinstance(event, EpochDone)], events[-1]


@pytest.mark.parametrize(("name", "line"), ACCURACY.items())
def test_an_example_of_classes_reaches_its_line(name: str, line: float, tmp_path: Path) -> None:
    rows, end = _run(name, tmp_path)
    assert max(row.metrics["val_accuracy"] for row in rows) >= line
    assert isinstance(end, Finished)


def test_gradient_descent_reaches_the_least_squares_optimum(tmp_path: Path) -> None:
    rows, _ = _run("05_diabetes_gradient_descent.json", tmp_path)
    assert abs(rows[-1].train_loss - 0.482252) < 1e-6


def test_nothing_can_be_learned_from_random_numbers(tmp_path: Path) -> None:
    rows, end = _run("06_random_teaching_page.json", tmp_path)
    assert rows[-1].train_loss > 0.7, "what is left when ten weights have fitted a hundred numbers of chance"
    assert isinstance(end, Finished)
    assert end.reason is Reason.CONVERGED


def test_a_digit_comes_back_from_sixteen_numbers(tmp_path: Path) -> None:
    rows, _ = _run("14_digits_autoencoder.json", tmp_path)
    assert rows[-1].metrics["val_r2"] >= 0.88, "16 principal components give 0.84"


def test_a_polish_by_sgd_comes_closer_than_adam_to_the_least_squares_optimum(tmp_path: Path) -> None:
    rows, _ = _run("15_diabetes_phases.json", tmp_path)
    assert rows[29].train_loss > 0.5, "Adam at a large rate jumps about the optimum"
    assert rows[-1].train_loss < 0.4825


def test_no_example_is_left_out() -> None:
    others = {"05_diabetes_gradient_descent.json", "06_random_teaching_page.json", "14_digits_autoencoder.json"}
    told = {*ACCURACY, *others, "15_diabetes_phases.json"}
    assert {path.name for path in FOLDER.glob("*.json")} == told
