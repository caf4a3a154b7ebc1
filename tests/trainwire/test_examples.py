"""The examples that are programs: each runs against a service and reaches what it is there to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.acceptance.processes import HOUSE, Up, environment

TABLE = HOUSE / "examples" / "09_own_table.py"
TEXT = HOUSE / "examples" / "10_own_text.py"
SERIES = HOUSE / "examples" / "12_own_series.py"


def told(program: Path, service: Up) -> list[str]:
    """What the program says, line by line."""
    done = subprocess.run(
        [sys.executable, program],
        env=environment({"TRAINWIRE_URL": service.url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_table_of_ones_own_is_learned_from(service: Up) -> None:
    lines = told(TABLE, service)
    assert "temperature_c  number     14 missing" in lines
    status, figure = lines[-1].split(": ")
    assert status == "succeeded"
    assert float(figure.rsplit(maxsplit=1)[-1]) > 0.85


def test_a_text_of_ones_own_is_learned_from(service: Up) -> None:
    first, alone, end = told(TEXT, service)
    assert first.endswith(" lines, 60115 bytes")
    assert end.startswith("succeeded: ")
    assert float(end.rsplit(maxsplit=1)[-1]) < 0.85 * float(alone.split()[4])


def test_a_series_of_ones_own_is_forecast(service: Up) -> None:
    naive, end = told(SERIES, service)
    assert end.startswith("succeeded: ")
    assert float(end.rsplit(maxsplit=1)[-1]) < 0.4 * float(naive.split()[-2])


def test_no_program_is_left_out() -> None:
    assert sorted((HOUSE / "examples").glob("*.py")) == [TABLE, TEXT, SERIES]
