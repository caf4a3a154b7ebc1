"""Packages of extras: nobody imports them before a job needs them, and a run tells which versions it had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.events import Started
from tests.core.loop.interrupting import Bench

PACKAGES = {"timm", "torchvision", "transformers", "pytorch_optimizer", "tokenizers", "datasets"}


@pytest.mark.parametrize("module", ["api.app", "trainwire.local", "worker.node", "worker.training"])
def test_neither_a_service_nor_a_waiting_child_holds_a_package_of_an_extra(module: str) -> None:
    specs = [
        {"dataset": "digits", "model": "vision_transformer"},
        {"dataset": "iris", "model": "linear", "optimizer": {"name": "pytorch_optimizer", "algorithm": "lion"}},
    ]
    judged = (
        f"from core.catalog import catalog; from core.spec import parse_spec; catalog(); [*map(parse_spec, {specs})]"
    )
    code = f"import sys, {module}; {judged}; print(*({PACKAGES} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_a_run_tells_the_versions_of_the_packages_that_its_numbers_rest_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, tmp_path)
    fields = {"dataset": "iris", "model": "linear", "epochs": 1}
    plain = bench.attempt(fields).every(Started)[0].versions
    told = bench.attempt({**fields, "optimizer": {"name": "pytorch_optimizer", "algorithm": "lion"}})
    assert told.every(Started)[0].versions.keys() - plain.keys() == {"pytorch_optimizer"}
