"""The examples that are programs: each runs against a service and reaches what it is there to show."""

from __future__ import annotations

import subprocess
import sys

from tests.acceptance.processes import HOUSE, Up, environment

TABLE = HOUSE / "examples" / "09_own_table.py"


def test_a_table_of_ones_own_is_learned_from(service: Up) -> None:
    done = subprocess.run(
        [sys.executable, TABLE],
        env=environment({"TRAINWIRE_URL": service.url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "temperature_c  number     14 missing" in done.stdout
    status, figure = done.stdout.splitlines()[-1].split(": ")
    assert status == "succeeded"
    assert float(figure.rsplit(maxsplit=1)[-1]) > 0.85


def test_no_program_is_left_out() -> None:
    assert sorted((HOUSE / "examples").glob("*.py")) == [TABLE]
