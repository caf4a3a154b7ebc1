"""The house keeps its plan: imports go one way, and no room grows past its size."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
ROOMS = ("api", "core", "trainwire", "worker", "migrations")
FILES = [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]
MAX_LINES = 250
MAX_BODY = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(path.name[:4] for path in (HOUSE / "docs" / "decisions").glob("*.md"))
    assert [number for number, times in numbers.items() if times > 1] == [], "the later one takes the next free number"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_file_says_what_it_is_and_stays_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_LINES, f"split {path.name} by meaning"
    assert ast.get_docstring(ast.parse(text)), f"{path.name} needs one sentence saying what it is"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_function_grows_past_a_screen(path: Path) -> None:
    long = [f"{node.name} ({size})" for node in functions(path) if (size := body_lines(node)) > MAX_BODY]
    assert not long


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function)]


def body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize(
    "module", ["api.app", "api.main", "trainwire.client", "worker.node", "core.store", "core.catalog"]
)
def test_whoever_does_not_train_holds_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
