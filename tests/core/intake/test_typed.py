"""A Parquet file: its types are kept, its footer is judged first."""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from core.errors import DataRefused
from core.intake import typed
from core.intake.limits import Limits
from core.intake.reading import table
from tests.core.intake.looking import look, problem, problems


def parquet(frame: pl.DataFrame) -> bytes:
    made = io.BytesIO()
    frame.write_parquet(made)
    return made.getvalue()


FRAME = pl.DataFrame(
    {
        "whole": [1, 2, None],
        "real": [0.5, float("nan"), 2.0],
        "word": ["01", "", "NA"],
        "kind": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        "truth": [True, None, False],
        "day": pl.Series(["2024-01-31", None, "2024-02-01"]).str.to_date(),
        "moment": pl.Series([datetime(2024, 1, 31, 12)] * 3).dt.replace_time_zone("Europe/Berlin"),
        "nothing": pl.Series([None] * 3, dtype=pl.Null),
        "money": pl.Series(["1.10", "2.20", "3.30"]).cast(pl.Decimal(10, 2)),
    }
)


def test_columns_keep_their_types(tmp_path: Path) -> None:
    profile = look(tmp_path, parquet(FRAME), name="a.parquet")
    assert [(one.name, one.kind, one.missing, one.distinct) for one in profile.columns] == [
        ("whole", "number", 1, 2),
        ("real", "number", 1, 2),
        ("word", "category", 1, 2),
        ("kind", "category", 0, 2),
        ("truth", "boolean", 1, 2),
        ("day", "date", 1, 2),
        ("moment", "date", 0, 1),
        ("nothing", "category", 3, 0),
        ("money", "number", 0, 3),
    ]
    read = table(tmp_path / "upload", "parquet", {one.name: one.kind for one in profile.columns})
    assert read["real"].to_list() == [0.5, None, 2.0]
    assert read["word"].to_list() == ["01", None, "NA"]
    assert read["moment"][0] == datetime(2024, 1, 31, 11)
    assert set(read.dtypes) == {pl.Float64, pl.String, pl.Boolean, pl.Datetime("us")}


def test_columns_of_lists_and_bytes_are_refused_by_name(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1], "list": [[1]], "bytes": [b"x"], "row": [{"b": 1}]})
    found = problems(tmp_path, parquet(frame), name="a.parquet")
    assert [one.pointer for one in found] == ["/file/columns/list", "/file/columns/bytes", "/file/columns/row"]


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    whole = parquet(FRAME)
    for cut in (whole[: len(whole) // 2], whole[:-9], whole[:12], whole[:8] + whole[-8:]):
        assert "cut off" in problem(tmp_path, cut, name="a.parquet").message


def test_damaged_bytes_are_refused_never_raised(tmp_path: Path) -> None:
    whole = bytearray(parquet(pl.DataFrame({"a": list(range(5000)), "b": ["word"] * 5000})))
    for place in (4, 20, len(whole) // 2, len(whole) - 40, len(whole) - 100, len(whole) - 200):
        broken = whole.copy()
        broken[place : place + 8] = b"\xff" * 8
        with suppress(DataRefused):
            assert look(tmp_path, bytes(broken), name="a.parquet").rows == 5000


def test_a_huge_footer_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "MOST_FOOTER", 100)
    assert "footer" in problem(tmp_path, parquet(FRAME), name="a.parquet").message


def test_too_much_is_refused_with_its_place(tmp_path: Path) -> None:
    wide = pl.DataFrame({f"c{number}": [1] for number in range(1001)})
    assert "1,001 columns" in problem(tmp_path, parquet(wide), name="a.parquet").message
    long = pl.DataFrame({"a": ["x", None, "x" * 101]})
    assert problem(tmp_path, parquet(long), name="a.parquet", limits=Limits(cell_bytes=100)).pointer == "/file/rows/3/a"
    assert (
        "5,000"
        in problem(
            tmp_path, parquet(pl.DataFrame({"a": [1] * 5000})), name="a.parquet", limits=Limits(rows=4999)
        ).message
    )
    endless = pl.DataFrame({"a": [1.0, float("-inf")]})
    assert problem(tmp_path, parquet(endless), name="a.parquet").pointer == "/file/rows/2/a"
    assert "no rows" in problem(tmp_path, parquet(pl.DataFrame({"a": [1]}).clear()), name="a.parquet").message
