"""What a column holds is told from all of its cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from bokeh_sampledata import __file__ as bokeh
from palmerpenguins import __file__ as penguins

from core.dataset import Kind, Odd, Profile
from core.intake import from_json, seen, to_json
from core.intake.inspection import inspect
from core.intake.limits import Limits
from core.intake.oddities import Oddities
from tests.core.intake.looking import column, look

MANY = [f"word {number}" for number in range(65)]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("number", ["1", " -2.5 ", "+3e4", ".5"]),
        ("number", ["0", "1", "NA", "n/a", "Null", "NaN", "?", ""]),
        ("number", ["20240131"]),
        ("category", ["1", "2", "three"]),
        ("category", ["yes", "no"]),
        ("category", ["", "NA"]),
        ("boolean", ["true", "FALSE", "True", ""]),
        ("date", ["2024-01-31", "", "1969-12-31"]),
        ("date", ["2024-01-31 10:11:12", "2024-01-31 10:11:12.5"]),
        ("date", ["2024-01-31T10:11:12Z", "2024-01-31T10:11:12+02:00"]),
        ("date", ["31.01.2024", "1.2.2024"]),
        ("date", ["1/2/2024", "13/2/2024"]),
        ("category", ["2024-01-31", "soon"]),
        ("category", ["2024-02-31"]),
        ("text", MANY),
        ("category", MANY[:64]),
        ("category", MANY + MANY),
    ],
)
def test_the_kind_is_that_of_every_cell_that_is_not_missing(tmp_path: Path, kind: Kind, cells: list[str]) -> None:
    assert column(tmp_path, *cells).kind == kind


def test_missing_words_are_counted_as_missing_and_as_nothing_else(tmp_path: Path) -> None:
    found = column(tmp_path, "1", "NA", "n/a", "null", "nan", "?", "", " ", "2")
    assert (found.missing, found.distinct, found.counts) == (7, 2, {"1": 1, "2": 1})


def test_numbers_are_told_with_their_range_and_mean(tmp_path: Path) -> None:
    found = column(tmp_path, "1", "1.0", "-2.5", "")
    assert (found.minimum, found.maximum, found.distinct) == (-2.5, 1.0, 2)
    assert found.mean == pytest.approx(-0.5 / 3)
    assert found.examples == ("1", "-2.5")
    assert found.counts is None, "numbers with a fraction are no classes"


def test_dates_are_told_with_the_first_and_the_last(tmp_path: Path) -> None:
    found = column(tmp_path, "2/1/2024", "1/31/2024")
    assert (found.minimum, found.maximum, found.distinct) == ("2024-01-31", "2024-02-01", 2)


def test_categories_are_counted_the_most_frequent_first(tmp_path: Path) -> None:
    assert list((column(tmp_path, "b", "a", "c", "c").counts or {}).items()) == [("c", 2), ("a", 1), ("b", 1)]


def test_a_wide_table_counts_fewer_values_of_each_column(tmp_path: Path) -> None:
    text = (
        ",".join(f"c{number}" for number in range(1000))
        + "\n"
        + "".join(f"{row}," + "1," * 998 + "1\n" for row in range(65))
    )
    found = look(tmp_path, text).columns
    assert (found[0].counts, found[1].counts) == (None, {"1": 65})


def test_long_words_are_cut_among_the_examples_and_never_counted(tmp_path: Path) -> None:
    found = column(tmp_path, "x" * 300, "y")
    assert (len(found.examples[0]), found.examples[0][-1], found.counts, found.distinct) == (80, "…", None, 2)


def test_how_many_values_occur_how_often_is_counted_whatever_they_are(tmp_path: Path) -> None:
    many = [number for number in range(3_000) for _ in range(1 + number % 3)]
    assert column(tmp_path, *map(str, many)).groups == "1x1000 2x1000 3x1000"
    assert column(tmp_path, *(f"patient {number}" for number in many)).groups == "1x1000 2x1000 3x1000"
    assert column(tmp_path, "0", "-0.0", "1", "1.0", "1e0", "NA").groups == "2x1 3x1"
    assert column(tmp_path, "2024-01-31", "2024-02-01", "2024-01-31").groups == "1x1 2x1"
    assert column(tmp_path, "true", "False", "TRUE").groups == "1x1 2x1"
    assert column(tmp_path, "1", "1.5", "1.5").groups is None, "fractions make no groups"


def test_groups_beyond_those_counted_are_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "GROUPED", 1)
    assert column(tmp_path, *map(str, range(1_000))).groups == "1x1000"
    assert column(tmp_path, *map(str, range(1_001))).groups is None


def test_distinct_values_beyond_those_kept_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "KEPT", 1024)
    monkeypatch.setattr(seen, "GROUPED", 1)
    found = column(tmp_path, *(str(number % 20_000) for number in range(40_000)))
    assert found.distinct == pytest.approx(20_000, rel=0.1)
    assert column(tmp_path, *(str(number % 1_000) for number in range(3_000))).distinct == 1_000


def test_penguins_are_told_as_their_makers_describe_them() -> None:
    found = inspect(Path(penguins).parent / "data" / "penguins.csv", "penguins.csv", Limits())
    kinds = {column.name: (column.kind, column.missing) for column in found.columns}
    assert found.rows == 344
    assert kinds["species"] == ("category", 0)
    assert kinds["bill_length_mm"] == ("number", 2)
    assert kinds["sex"] == ("category", 11)
    assert found.columns[0].counts == {"Adelie": 152, "Gentoo": 124, "Chinstrap": 68}


@pytest.mark.parametrize(
    ("name", "rows", "kinds"),
    [
        ("titanic_all.csv", 1313, {"name": "text", "class": "category", "age": "number", "survived": "number"}),
        ("auto-mpg.csv", 392, {"mpg": "number", "origin": "number", "name": "text"}),
        ("lincoln_weather.csv", 366, {"STATION": "category", "DATE": "date", "TMAX": "number"}),
    ],
)
def test_known_tables_are_told_as_they_are(name: str, rows: int, kinds: dict[str, Kind]) -> None:
    found = inspect(Path(bokeh).parent / "_data" / name, name, Limits())
    assert found.rows == rows
    assert kinds.items() <= {column.name: column.kind for column in found.columns}.items()


def test_a_few_words_among_numbers_are_told_with_their_rows(tmp_path: Path) -> None:
    cells = [str(place) for place in range(200)]
    assert column(tmp_path, *cells).odd is None
    cells[16], cells[40], cells[41], cells[42] = "abc", "n.a.", "", "1,5" * 30
    found = column(tmp_path, *(f'"{cell}"' for cell in cells))
    assert (found.kind, found.missing) == ("text", 1)
    assert found.odd == Odd(3, 199, ((17, "abc"), (41, "n.a."), (43, f"{('1,5' * 30)[:39]}…")))


@pytest.mark.parametrize(("odd", "told"), [(9, True), (10, False)])
def test_a_column_of_more_than_a_few_words_is_told_as_what_it_is(tmp_path: Path, odd: int, told: bool) -> None:
    found = column(tmp_path, *(["a"] * odd), *(["1"] * (200 - odd)))
    assert found.kind == "category"
    assert (found.odd is not None) == told
    assert from_json(to_json(Profile("table", "csv", 200, (found,)))).columns == (found,)


def test_a_text_is_not_tried_as_numbers_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    oddities = Oddities()
    block, rows = pl.Series(["x"] * 1_001), np.arange(1_001)
    oddities.take(block, rows, all_numbers=False)
    monkeypatch.setattr(pl, "select", None)
    oddities.take(block, rows, all_numbers=False)
    assert oddities.told is None
