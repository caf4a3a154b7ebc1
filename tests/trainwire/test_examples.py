"""Each example runs against a service and comes to the figure of `examples/expected.json`; the long ones cut short."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from core.job import Reason
from examples.__main__ import FOLDER, Expected, expectations, figure_of, is_met, main
from tests.acceptance.processes import Up, environment
from trainwire.client import Client

CUT: dict[str, tuple[Mapping[str, Any], float]] = {
    "08_digits_augmented.json": ({"epochs": 5}, 0.92),
    "10_digits_autoencoder.json": ({"epochs": 10}, 0.75),
    "12_diabetes_seeds.json": ({"seeds": 2}, 0.4),
    "16_digits_two_devices.json": ({"epochs": 4}, 0.93),
    "17_spirals_checkpoints.json": ({"epochs": 20}, 0.85),
}
"""What is changed of the long specs, and the line that they reach all the same."""
EXPECTED = expectations()
SPECS = [name for name in EXPECTED if name.endswith(".json") and name not in CUT]
ROW = re.compile(r"^\| \[(\d\d)\]\((\S+)\) \|.*\| [^|]*?(\d+(?:\.\d+)?) \| [^|]+ \|$", re.MULTILINE)


def told(name: str, service: Up, *arguments: str) -> list[str]:
    """What the program says, line by line."""
    done = subprocess.run(
        [sys.executable, FOLDER / name, *arguments],
        env=environment({"TRAINWIRE_URL": service.url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("succeeded: ")
    return lines


def last(line: str) -> float:
    """The number that a line ends with."""
    return float(line.rsplit(maxsplit=1)[-1])


def reached(name: str, line: str) -> bool:
    """Whether the line ends with the example's figure."""
    return EXPECTED[name].is_met_by(last(line))


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_comes_to_its_figure(name: str, client: Client) -> None:
    assert is_met(name, EXPECTED[name], client)


@pytest.mark.parametrize("name", CUT)
def test_a_long_spec_cut_short_comes_to_a_line_of_its_own(name: str, client: Client) -> None:
    changes, line = CUT[name]
    ended = client.wait(client.submit({**json.loads((FOLDER / name).read_text()), **changes}).id)
    figure = EXPECTED[name].figure
    assert figure is not None
    assert figure_of(ended.model_dump(mode="json"), figure) >= line


def test_nothing_can_be_learned_from_random_numbers(client: Client) -> None:
    job = client.wait(client.submit(json.loads((FOLDER / "06_random_teaching_page.json").read_text())).id)
    assert job.status_reason is Reason.CONVERGED


def test_a_polish_by_sgd_comes_closer_than_adam_to_the_least_squares_optimum(client: Client) -> None:
    job = client.wait(client.submit(json.loads((FOLDER / "13_diabetes_phases.json").read_text())).id)
    rows = client.metrics(job.id)
    assert rows[29]["train_loss"] > 0.5, "Adam at a large rate jumps about the optimum"
    assert rows[-1]["train_loss"] < 0.4825


def test_a_table_of_ones_own_is_learned_from(service: Up) -> None:
    lines = told("18_own_table.py", service)
    assert "temperature_c  number     14 missing" in lines
    assert reached("18_own_table.py", lines[-1])


def test_many_words_of_a_column_are_told_apart_by_embeddings(service: Up) -> None:
    codes, embeddings = told("19_own_words.py", service)
    assert last(codes) < 0.8
    assert reached("19_own_words.py", embeddings)


def test_arrays_of_ones_own_are_learned_from(service: Up) -> None:
    first, end = told("20_own_arrays.py", service)
    assert first == "2000 samples of [3, 8, 8]"
    assert reached("20_own_arrays.py", end)


def test_pictures_of_ones_own_are_learned_from(service: Up) -> None:
    first, *_, end = told("21_own_pictures.py", service, "500", "6")
    assert first == "500 pictures of [1, 28, 28]"
    assert last(end) > 0.5


def test_sentences_of_ones_own_are_learned_from(service: Up) -> None:
    assert reached("22_own_sentences.py", told("22_own_sentences.py", service)[-1])


def test_a_text_of_ones_own_is_learned_from(service: Up) -> None:
    first, alone, end = told("23_own_text.py", service)
    assert first.endswith(" lines, 60115 bytes")
    assert last(end) < 0.85 * float(alone.split()[4])
    assert reached("23_own_text.py", end)


def test_a_series_of_ones_own_is_forecast(service: Up) -> None:
    naive, end = told("24_own_series.py", service)
    assert last(end) < 0.4 * float(naive.split()[-2])
    assert reached("24_own_series.py", end)


def test_what_was_learned_helps_where_there_is_little(service: Up) -> None:
    _, afresh, end = told("25_starting_weights.py", service)
    assert last(end) > last(afresh) + 0.02
    assert reached("25_starting_weights.py", end)


def test_a_fork_repeats_what_it_left_or_goes_its_own_way(service: Up) -> None:
    _, same, large, small = told("26_fork.py", service)
    assert same == "without a change: the same cost, to the last bit"
    assert last(small) < last(large)
    assert reached("26_fork.py", small)


def test_a_trained_model_is_exported_and_asked(service: Up) -> None:
    graph, every, _, snow, unknown, sun = told("27_trained_model.py", service)
    assert graph.startswith("model.pt2, ")
    assert every.startswith("500 days of the file: ")
    assert last(snow) < last(unknown) < last(sun)
    assert reached("27_trained_model.py", sun)


def test_the_examples_are_numbered_in_reading_order_and_each_has_a_figure() -> None:
    names = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".json", ".py"} and path.name[0].isdigit())
    assert names == list(EXPECTED)
    assert [int(name[:2]) for name in names] == list(range(1, len(names) + 1))
    assert all((expected.figure is not None) == name.endswith(".json") for name, expected in EXPECTED.items())


def test_the_table_of_contents_shows_each_with_its_figure() -> None:
    rows = ROW.findall((FOLDER / "README.md").read_text())
    assert [(number, name) for number, name, _ in rows] == [(name[:2], name) for name in EXPECTED]
    for _, name, shown in rows:
        decimals = len(shown.partition(".")[2])
        assert shown == f"{EXPECTED[name].reached:.{decimals}f}", name


def test_a_program_says_how_it_is_called() -> None:
    for path in FOLDER.glob("[0-9]*.py"):
        assert f"python examples/{path.name}" in path.read_text(), path.name


def test_a_figure_that_is_missed_is_said(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_met("02_iris_linear.json", Expected(0.5, 0.01, "latest.val_accuracy"), client)
    assert capsys.readouterr().out.endswith("missed\n")


def test_the_runner_starts_a_service_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["02_iris"]) == 0
    assert capsys.readouterr().out.endswith("1 of 1 as expected\n")
    assert main(["no such example"]) == 1
