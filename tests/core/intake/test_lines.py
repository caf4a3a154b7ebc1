"""A JSONL file: every line is judged by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.intake import lines
from core.intake.limits import Limits
from core.intake.reading import table
from tests.core.intake.looking import look, problem, problems


def test_objects_with_other_names_are_one_table(tmp_path: Path) -> None:
    profile = look(
        tmp_path,
        '{"n": 1, "s": "x"}\n\n{"s": "", "n": null}\r\n{"t": true, "n": 2.5, "d": "2024-01-31"}\n',
        name="a.jsonl",
    )
    assert profile.rows == 3
    assert [(one.name, one.kind, one.missing, one.distinct) for one in profile.columns] == [
        ("n", "number", 1, 2), ("s", "category", 2, 1), ("t", "boolean", 2, 1), ("d", "date", 2, 1),
    ]  # fmt: skip
    read = table(tmp_path / "upload", "jsonl", {one.name: one.kind for one in profile.columns})
    assert [row[:3] for row in read.rows()] == [(1.0, "x", None), (None, None, None), (2.5, None, True)]
    assert str(read["d"][2]) == "2024-01-31 00:00:00"


def test_words_keep_their_look_where_numbers_have_their_own(tmp_path: Path) -> None:
    assert look(tmp_path, '{"zip": "01234"}\n{"zip": "NA"}\n', name="a.jsonl").columns[0].counts == {
        "01234": 1,
        "NA": 1,
    }


@pytest.mark.parametrize(
    ("line", "pointer", "told"),
    [
        ('{"a": "x"}', "/file/rows/2/a", "a word where others have a number"),
        ('{"a": true}', "/file/rows/2/a", "a truth where others have a number"),
        ('{"a": [1]}', "/file/rows/2/a", "one value per cell"),
        ('{"a": {"b": 1}}', "/file/rows/2/a", "one value per cell"),
        ('{"a": 1e999}', "/file/rows/2/a", "infinite"),
        ('{"a": 1' + "0" * 400 + "}", "/file/rows/2/a", "infinite"),
        ('{"b": "\\ud800"}', "/file/rows/2/b", "half a character"),
        ('{"b": "' + "x" * 1001 + '"}', "/file/rows/2/b", "1,000 bytes"),
        ('{"a": NaN}', "/file/rows/2", "write null"),
        ('{"a": 1, "a": 2}', "/file/rows/2", "twice"),
        ('{"a": ' + "9" * 5000 + "}", "/file/rows/2", "thousands of digits"),
        ("[" * 100_000, "/file/rows/2", "too deep"),
        ("[1]", "/file/rows/2", "no object"),
        ('{"a": 1', "/file/rows/2", "character 8"),
        ('{"b": "\xff"}', "/file/rows/2", "UTF-8"),
    ],
    ids=range(15),
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, pointer: str, told: str) -> None:
    content = ('{"a": 1}\n' + line + '\n{"a": 2}\n').encode("latin-1")
    found = problem(tmp_path, content, name="a.jsonl", limits=Limits(cell_bytes=1000))
    assert found.pointer == pointer
    assert told in found.message
    assert "(line 2)" in found.message


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    assert "line 2" in problem(tmp_path, '{"a": 1}\n{"a": "' + "x" * 2000, name="a.jsonl").message.lower()


def test_too_many_names_and_rows_are_refused(tmp_path: Path) -> None:
    many = "\n".join(f'{{"k{number}": 1}}' for number in range(1001))
    assert "1,001 columns" in problem(tmp_path, many, name="a.jsonl").message
    assert "more than 2 rows" in problem(tmp_path, '{"a": 1}\n' * 3, name="a.jsonl", limits=Limits(rows=2)).message


def test_a_mark_before_the_first_line_and_nameless_values_are_told(tmp_path: Path) -> None:
    assert "byte order mark" in problem(tmp_path, '\ufeff{"a": 1}', name="a.jsonl").message
    assert problems(tmp_path, '{"": 1}', name="a.jsonl")[0].message == (
        "Column '1': it has no name. Was it written with its row numbers? Leave them out (pandas: index=False)."
    )


def test_blocks_of_any_size_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"a": null}\n' + "".join(f'{{"a": {number}, "b{number % 3}": "w"}}\n' for number in range(100))
    whole = look(tmp_path, text, name="a.jsonl")
    monkeypatch.setattr(lines, "_ROWS", 7)
    assert look(tmp_path, text, name="a.jsonl") == whole
    assert [one.missing for one in whole.columns] == [1, 67, 68, 68]
