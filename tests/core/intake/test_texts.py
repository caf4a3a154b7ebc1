"""A plain text is read in pieces, and what is no UTF-8 in it is told by its line and byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.dataset import Profile
from core.intake import Limits, first_rows
from core.intake import texts as looked_into
from tests.core.intake.looking import look, problem, problems


@pytest.mark.parametrize(("text", "lines"), [("one\ntwo\n", 2), ("one\ntwo", 2), ("\n\nx", 3), ("<p>{", 1)])
def test_a_text_has_its_lines_as_rows(tmp_path: Path, text: str, lines: int) -> None:
    assert look(tmp_path, text, name="a.txt") == Profile("text", "txt", lines)


def test_a_letter_that_two_pieces_share_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked_into, "_PIECE", 1)
    assert look(tmp_path, "aé\n€😀\n", name="a.txt").rows == 2
    told = problem(tmp_path, "aé\n€".encode() + b"\xf0\x9f", name="a.txt")
    assert told.message == "Line 2: byte 8 of the file (0xf0) is not UTF-8."


@pytest.mark.parametrize("size", [1 << 20, 3])
def test_bytes_that_are_no_text_are_told_by_their_places_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(looked_into, "_PIECE", size)
    first, second = problems(tmp_path, b"fine\nb\xffd\n\nx\x80y\n", name="a.txt")
    assert first.message == "Line 2: byte 7 of the file (0xff) is not UTF-8."
    assert second.message == "Line 4: byte 12 of the file (0x80) is not UTF-8."


def test_what_is_told_of_a_binary_file_stays_short(tmp_path: Path) -> None:
    found = problems(tmp_path, b"text, then\n" * 600 + b"\xff" * 500_000, name="a.txt")
    assert len(found) == 20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbfone", "byte order mark"),
        (b"\xff\xfeo\x00n\x00", "UTF-16"),
        (b"a\n" * 4096 + b"b\x00", "Line 4097: byte 8,194 of the file is NUL"),
    ],
)
def test_what_is_no_plain_text_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in problem(tmp_path, content, name="a.txt").message


def test_the_first_rows_of_a_text_are_its_first_lines(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("one\r\n\n" + "x" * 3000 + "\nlast é")
    columns, rows = first_rows(path, "txt", 5, kinds={}, limits=Limits())
    assert (columns, rows) == (["text"], [["one"], [""], ["x" * 1000], ["last é"]])
    assert first_rows(path, "txt", 1, kinds={}, limits=Limits())[1] == [["one"]]
