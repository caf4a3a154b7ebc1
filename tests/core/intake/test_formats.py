"""A name says the format, and the bytes must agree."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.core.intake.looking import look, problem


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("A.CSV", b"a,b\n1,2\n", "csv"),
        ("a.tab", b"a\tb\n1\t2\n", "tsv"),
        ("a.tsv", b"a\tb\n1\t2\n", "tsv"),
        ("a.ndjson", b'{"a": 1}\n', "jsonl"),
    ],
)
def test_the_name_says_how_a_text_is_read(tmp_path: Path, name: str, content: bytes, format_: str) -> None:
    assert look(tmp_path, content, name=name).format == format_


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\xef\xbb\xbf \r\n\n", "empty"),
        ("a.dat", b"a,b\n1,2\n", "ends in '.dat'"),
        ("a", b"a,b\n1,2\n", "no ending"),
        ("a.bin", b"PAR1....", "looks like Parquet"),
        ("a.csv", b"PAR1....", "name it .parquet"),
        ("a.parquet", b"a,b\n1,2\n", "not Parquet"),
        ("a.npy", b"1 2 3\n", "not a NumPy array"),
        ("a.jsonl", b"a,b\n1,2\n", "does not begin with a JSON object"),
        ("a.jsonl", b'[{"a": 1}]', "one object per line"),
        ("a.csv", b'{"a": 1}\n', "name it .jsonl"),
        ("a.csv", b"a,b\n1,\x00\n", "NUL"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b"<!DOCTYPE html>", "HTML"),
        ("a.csv", b"\x1f\x8b\x08\x00", "gzip"),
        ("a.npy", pickle.dumps([1]), "pickles, which are code"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "Excel"),
        ("a.png", b"\x89PNG\r\n", "zip folders"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_with_a_remedy(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    assert told in problem(tmp_path, content, name=name).message


@pytest.mark.parametrize(
    ("entry", "told"),
    [("[Content_Types].xml", "Excel"), ("model/data.pkl", "torch.save"), ("x.npy", "name it .npz")],
)
def test_a_zip_that_is_another_thing_is_told_by_its_first_entry(tmp_path: Path, entry: str, told: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(entry, b"x")
    assert told in problem(tmp_path, made.getvalue(), name="a.zip").message


def test_an_array_named_as_archive_is_told(tmp_path: Path) -> None:
    made = io.BytesIO()
    np.save(made, np.zeros((2, 2)))
    assert "name it .npy" in problem(tmp_path, made.getvalue(), name="a.npz").message
