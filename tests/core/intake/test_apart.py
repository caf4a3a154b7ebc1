"""What a file does stays in the process that was started to look into it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from core import own_process
from core.dataset import Column, Profile, Targets
from core.errors import DataRefused, InvalidData
from core.intake import Limits, first_rows, from_json, inspect_file, read_table, to_json
from core.job import Problem

SMALL = Limits(memory_bytes=300_000_000)
TABLE = "name,size,ok,day,note\nx,1,true,1/2/2024,NA\n=y,NA,false,13/2/2024,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_text(TABLE)
    return path


def instead(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Let this code answer in place of the process that looks into files."""
    script = folder / "instead"
    script.write_text(f"#!{sys.executable}\n{code}\n")
    script.chmod(0o700)
    monkeypatch.setattr(own_process, "sys", SimpleNamespace(executable=str(script)))


def test_a_table_is_looked_into_and_shown_and_read_again(file: Path) -> None:
    profile = inspect_file(file, filename="a.csv", limits=SMALL)
    kinds = {column.name: column.kind for column in profile.columns}
    assert list(kinds.values()) == ["category", "number", "boolean", "date", "category"]
    columns, rows = first_rows(file, "csv", 5, kinds=kinds, limits=Limits())
    assert columns == list(kinds)
    assert rows == [["x", 1.0, True, "1/2/2024", None], ["=y", None, False, "13/2/2024", None]]
    read = read_table(file, "csv", {"day": "date", "size": "number"})
    assert read.schema == {"day": pl.Datetime("us"), "size": pl.Float64}
    assert read.rows() == [(datetime(2024, 2, 1), 1.0), (datetime(2024, 2, 13), None)]


def test_a_refusal_comes_back_with_every_place_and_the_count(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("a,b\n" + "1\n" * 30)
    with pytest.raises(DataRefused) as refused:
        inspect_file(path, filename="a.csv", limits=Limits())
    assert (len(refused.value.problems), refused.value.count) == (20, 30)
    assert refused.value.problems[0] == Problem("/file/rows/1", "Row 1 (line 2): the row has 1 cells, the header 2.")


def test_a_bomb_ends_its_own_process_and_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    some = pl.DataFrame({"a": [letter * 900_000 for letter in "abcdefghij"]})
    pl.concat([some] * 60, rechunk=False).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataRefused, match=r"more than 0\.3 GB of memory to read"):
        inspect_file(path, filename="a.parquet", limits=SMALL)


def test_no_secret_of_the_service_is_handed_on(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWIRE_DATABASE_URL", "postgresql://me:secret@db")
    told = "{'columns': [str(dict(os.environ))], 'rows': []}"
    instead(monkeypatch, tmp_path, f"import json, os; print(json.dumps({{'found': {told}}}))")
    columns, _ = first_rows(file, "csv", 1, kinds={}, limits=Limits())
    assert "secret" not in columns[0]
    assert "POLARS_MAX_THREADS" in columns[0]


def test_a_look_that_takes_too_long_is_ended(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, tmp_path, "import signal; signal.pause()")
    begun = time.monotonic()
    with pytest.raises(DataRefused, match=r"more than 0\.05 s"):
        inspect_file(file, filename="a.csv", limits=Limits(seconds=0.05))
    assert time.monotonic() - begun < 10


def test_a_process_that_is_killed_is_told_as_the_files_fault(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, tmp_path, "import os; os.abort()")
    with pytest.raises(DataRefused, match=r"signal 6.*2\.0 GB"):
        inspect_file(file, filename="a.csv", limits=Limits())


def test_a_fault_of_our_own_is_not_told_as_the_files(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, tmp_path, "raise SystemExit('a bug of ours')")
    with pytest.raises(RuntimeError, match="a bug of ours"):
        inspect_file(file, filename="a.csv", limits=Limits())


def test_a_table_that_is_not_as_it_was_is_invalid_data(file: Path) -> None:
    with pytest.raises(InvalidData, match="cannot be read as it was"):
        read_table(file, "csv", {"gone": "number"})
    with pytest.raises(InvalidData, match="cannot be read as it was"):
        read_table(file, "parquet", {"size": "number"})
    with pytest.raises(InvalidData, match="not written in one way"):
        read_table(file, "csv", {"name": "date"})


def test_a_profile_passes_through_json_unchanged() -> None:
    column = Column("a", "date", missing=1, distinct=2, minimum="2024-01-31", maximum="2024-02-01", examples=("x",))
    number = Column("b", "number", missing=0, distinct=1, minimum=3.0, maximum=3.0, mean=3.0, counts={"3": 2})
    for profile in (
        Profile("table", "csv", 2, (column, number)),
        Profile("arrays", "npz", 5, shape=(2, 3), targets=Targets(None, 3)),
        Profile("images", "zip", 5, shape=(1, 8, 8), classes=("cat", "dog")),
    ):
        assert from_json(to_json(profile)) == profile


def test_the_service_looks_into_files_without_loading_polars() -> None:
    code = "import sys, core.intake; sys.exit('polars' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
