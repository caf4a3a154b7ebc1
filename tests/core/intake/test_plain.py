"""A CSV: what is wrong with it is told with row, line and column, before anything parses it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DataRefused
from core.intake import records
from core.intake.limits import Limits
from core.intake.reading import table
from tests.core.intake.looking import look, problem, problems


def test_rows_of_another_width_are_told_with_row_and_line(tmp_path: Path) -> None:
    found = problems(tmp_path, 'a,b\n"1\n",2\n1\n\n1,2,3\n1,2\n')
    assert [(one.pointer, one.message) for one in found] == [
        ("/file/rows/2", "Row 2 (line 4): the row has 1 cells, the header 2."),
        ("/file/rows/4", "Row 4 (line 6): the row has 3 cells, the header 2."),
    ]


def test_twenty_problems_are_told_and_all_are_counted(tmp_path: Path) -> None:
    with pytest.raises(DataRefused) as refused:
        look(tmp_path, "a,b\n" + "1\n" * 137)
    assert (len(refused.value.problems), refused.value.count) == (20, 137)


def test_text_that_is_not_utf8_is_told_with_its_cell(tmp_path: Path) -> None:
    found = problems(tmp_path, "a,b\n1,2\n3,é\nééé,4\n".encode("latin-1"))
    assert [one.pointer for one in found] == ["/file/rows/2/b", "/file/rows/3/a"]
    assert "save the file as UTF-8" in found[0].message


def test_a_header_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    assert "names of the columns are not UTF-8" in problem(tmp_path, "é,b\n1,2\n".encode("latin-1")).message


@pytest.mark.parametrize(
    ("text", "line"), [('a,b\n1,2\n"5" pipe,3\n', 3), ('a,b\n1,2\n3,5" and 6" pipes\n', 3), ('a,b\n"x"y"z",1\n', 2)]
)
def test_a_quote_inside_a_cell_is_told_before_it_changes_what_follows(tmp_path: Path, text: str, line: int) -> None:
    found = problem(tmp_path, text)
    assert f"line {line}" in found.message
    assert "write the quote twice" in found.message


def test_a_quote_that_is_never_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    assert (
        problem(tmp_path, 'a,b\n1,2\n3,"x\n4,5\n').message
        == "Row 2 (line 3): a quote that begins here is never closed."
    )


def test_a_cell_that_is_too_long_is_told(tmp_path: Path) -> None:
    found = problem(tmp_path, "a,b\n1,2\n" + "x" * 101 + ",1\n" + "x" * 100 + ",1\n", limits=Limits(cell_bytes=100))
    assert found.pointer == "/file/rows/2/a"
    assert "100 bytes" in found.message


def test_a_row_without_end_is_refused_after_a_few_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 1 << 10)
    monkeypatch.setattr(records, "LONGEST", 1 << 14)
    assert "the row is longer" in problem(tmp_path, b"a,b\n" + b"x" * (1 << 20)).message


@pytest.mark.parametrize("columns", [1_001, 100_000])
def test_too_many_columns_are_refused_by_the_header(tmp_path: Path, columns: int) -> None:
    text = ",".join(f"c{number}" for number in range(columns)) + "\n1,2\n"
    assert problem(tmp_path, text).message == f"The table has {columns:,} columns; 1,000 are allowed."


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    assert "more than 3 rows" in problem(tmp_path, "a,b\n" + "1,2\n" * 4, limits=Limits(rows=3)).message
    assert look(tmp_path, "a,b\n" + "1,2\n" * 3, limits=Limits(rows=3)).rows == 3


def test_columns_without_a_name_or_with_the_same_are_each_told(tmp_path: Path) -> None:
    found = problems(tmp_path, ",a,b,a,b\n1,2,3,4,5\n")
    assert [one.pointer for one in found] == ["/file/columns/1", "/file/columns/a", "/file/columns/b"]
    assert "index=False" in found[0].message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n", "no rows"),
        ("a,b", "no rows"),
        ("a,b\n\n\r\n", "no rows"),
        ("1,2.5\n3,4\n", "first line holds numbers"),
        ("a,b\r1,2\r", "CR alone"),
        ('"a\nb",c\n1,2\n', "line break"),
        ("x" * 201 + ",b\n1,2\n", "201 characters"),
        ("x" * 200_000 + ",b\n1,2\n", "names of the columns cannot be read"),
    ],
)
def test_a_table_without_rows_or_names_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in problem(tmp_path, text).message


def test_a_number_without_end_is_told_with_its_row(tmp_path: Path) -> None:
    found = problems(tmp_path, "a,b\n1,2\n\ninf,3\n4,-1e999\n")
    assert [one.pointer for one in found] == ["/file/rows/3/a", "/file/rows/4/b"]


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "a|b\n1|2\n", "a\tb\n1\t2\n", "\ufeffa,b\r\n1,2\r\n", '"a,x;";b\n1;2'])
def test_the_header_says_what_parts_the_cells(tmp_path: Path, text: str) -> None:
    profile = look(tmp_path, text)
    assert [(column.name[0], column.kind) for column in profile.columns] == [("a", "number"), ("b", "number")]


def test_rows_in_which_every_cell_is_empty_are_left_out(tmp_path: Path) -> None:
    profile = look(tmp_path, "a,b\n\n1,2\n,\n\n?,4\n\n")
    assert (profile.rows, profile.columns[0].missing) == (2, 1)


def test_blocks_of_any_size_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a,b,c\n" + "".join(f'{number},"w{number % 7}\n""x""",{number / 3}\n\n' for number in range(300))
    whole = look(tmp_path, text)
    monkeypatch.setattr(records, "BLOCK", 97)
    cut = look(tmp_path, text)
    assert (cut.rows, len(cut.columns)) == (300, 3)
    for one, other in zip(whole.columns, cut.columns, strict=True):
        assert (one.kind, one.distinct, one.minimum, one.maximum, one.counts) == (
            other.kind,
            other.distinct,
            other.minimum,
            other.maximum,
            other.counts,
        )
        assert one.mean == pytest.approx(other.mean)


cells = st.text(st.sampled_from("ab\"\n,;|\t é#' 1"), max_size=5)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6)
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables, mark=st.sampled_from(",;|"), end=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([0, 1]))
def test_what_the_csv_module_writes_is_read_as_it_was(
    tmp_path: Path, rows: list[list[str]], mark: str, end: str, quoting: int
) -> None:
    mark = mark if len(rows[0]) > 1 else ","
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=mark, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    names = [f"c{number}" for number in range(len(rows[0]))]
    writer.writerows([["first", *names], *(["word", *row] for row in rows)])
    profile = look(tmp_path, written.getvalue())
    read = table(tmp_path / "upload", "csv", dict.fromkeys(["first", *names], "text"))
    assert profile.rows == len(rows)
    assert [list(row[1:]) for row in read.rows()] == [[cell.strip() or None for cell in row] for row in rows]
