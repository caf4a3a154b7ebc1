"""The bundled tables on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data import Arrays
from core.loading.cache import load
from core.registry import PartSettings, datasets


def loaded(chosen: PartSettings, cache: Path) -> Arrays:
    found = load(chosen, cache=cache)
    assert isinstance(found, Arrays)
    return found


def same(one: Arrays, other: Arrays) -> bool:
    names = (one.class_names, one.feature_names) == (other.class_names, other.feature_names)
    arrays = np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y)
    return names and arrays and (one.x.dtype, one.y.dtype) == (other.x.dtype, other.y.dtype)


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer", "diabetes"])
def test_a_table_comes_back_from_the_cache_as_it_was(name: str, tmp_path: Path) -> None:
    chosen = datasets.choose(name)
    first, again = loaded(chosen, tmp_path), loaded(chosen, tmp_path)
    assert same(first, datasets.build(chosen))
    assert same(again, first)
    assert [file.name for file in tmp_path.iterdir()] == [f"{name}.npz"]


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut short"], ids=["empty", "text", "torn"])
def test_a_broken_file_is_made_anew(content: bytes, tmp_path: Path) -> None:
    chosen = datasets.choose("iris")
    (tmp_path / "iris.npz").write_bytes(content)
    assert same(loaded(chosen, tmp_path), datasets.build(chosen))
    assert (tmp_path / "iris.npz").stat().st_size > 1000


def test_a_file_with_a_flipped_byte_is_made_anew(tmp_path: Path) -> None:
    chosen = datasets.choose("iris")
    load(chosen, cache=tmp_path)
    path = tmp_path / "iris.npz"
    content = bytearray(path.read_bytes())
    content[1000] ^= 0xFF
    path.write_bytes(content)
    assert same(loaded(chosen, tmp_path), datasets.build(chosen))


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(loaded(datasets.choose("iris"), tmp_path / "file").x) == 150


def test_generated_points_are_not_kept(tmp_path: Path) -> None:
    load(datasets.choose("moons"), cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_first_job_waits_for_no_import(tmp_path: Path) -> None:
    load(datasets.choose("digits"), cache=tmp_path)
    code = f"""
import sys
from pathlib import Path
from core.loop import prepare, train
from core.registry import optimizers
from core.spec import parse_spec
prepare()
before = set(sys.modules)
folder = Path({str(tmp_path)!r})
for name in set(optimizers.names()) - {{"pytorch_optimizer"}}:
    wanted = {{"dataset": "digits", "model": "linear", "optimizer": name, "epochs": 1, "batch_size": 1437}}
    list(train(parse_spec(wanted), folder=folder, cache=folder))
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] != "torch"))
print(*sorted({{"sklearn", "torch._dynamo", "torch._inductor"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, []), f"a first job would wait for these imports\n{done.stderr}"
