"""Datasets in the local cache of Hugging Face's `datasets`: found by name, judged like files, and never fetched."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core import intake
from core.errors import InvalidData, SpecRefused
from core.events import EpochDone, Finished
from core.loop import train
from core.shelf import Folders, Shelf
from core.spec import JobSpec, parse_spec

FLOWERS = {"name": "hub", "path": "someone/flowers", "split": "train", "target": "label", "task": "classes"}


def _kept(cache: Path, split: str, *, rows: int = 120, config: str = "default", shard: str = "") -> Path:
    """A split as `datasets` keeps it: a stream of Arrow in a folder of its own."""
    draw = random.Random(split)
    kinds = [row % 3 for row in range(rows)]
    table = pl.DataFrame(
        {
            "petal": [kind + draw.gauss(0, 0.1) for kind in kinds],
            "note": [draw.choice(["wild", "sown"]) for _ in kinds],
            "label": kinds,
        }
    )
    folder = cache / "someone___flowers" / config / "0.0.0" / "abc"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"flowers-{split}{shard}.arrow"
    table.write_ipc_stream(path)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    _kept(tmp_path / "cache", "train")
    return tmp_path / "cache"


def _look() -> Shelf:
    return Shelf(None, lambda path, name: intake.inspect_file(path, filename=name, limits=intake.Limits()))


def _spec(**changes: Any) -> JobSpec:
    dataset = {**FLOWERS, **changes}
    return parse_spec({"dataset": dataset, "model": "mlp", "lr": 0.01}, find=lambda _: None, look=_look().look)


def _refused(**changes: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        _spec(**changes)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def _trained(spec: JobSpec, folder: Path) -> list[Any]:
    return list(train(spec, folder=folder, datasets=Folders(folder)))


@pytest.mark.usefixtures("cache")
def test_a_cached_dataset_trains_like_a_table(tmp_path: Path) -> None:
    spec = _spec()
    assert (spec.data_shape.classes, spec.data_shape.samples) == (3, 120)
    assert spec.dataset.settings()["facts"].format == "arrow"
    told = _trained(spec, tmp_path / "run")
    assert isinstance(told[-1], Finished)
    assert [event.row for event in told if isinstance(event, EpochDone)][-1].metrics["val_accuracy"] > 0.9


def test_other_splits_of_it_validate_and_test(cache: Path, tmp_path: Path) -> None:
    _kept(cache, "validation", rows=30)
    _kept(cache, "test", rows=45)
    spec = _spec(validation="validation", test="test")
    assert tuple(spec.split_sizes) == (120, 30, 45)
    end = _trained(spec, tmp_path / "run")[-1]
    assert isinstance(end, Finished)
    assert (end.test or {})["accuracy"] > 0.9


@pytest.mark.usefixtures("cache")
def test_a_stored_spec_needs_no_look_again() -> None:
    assert parse_spec(_spec().model_dump(mode="json")) == _spec()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("changes", "pointer", "told"),
    [
        ({"path": "someone/flower"}, "/dataset/path", 'Did you mean "someone/flowers"?'),
        ({"path": "nobody/nothing"}, "/dataset/path", "datasets.load_dataset('nobody/nothing')"),
        ({"split": "dev"}, "/dataset/path", 'holds no split "dev"'),
        ({"validation": "dev"}, "/dataset/validation", 'holds no split "dev"'),
        ({"path": "../flowers"}, "/dataset/path", "is not allowed here"),
        ({"config": ".."}, "/dataset/config", "is not allowed here"),
        ({"target": "labl"}, "/dataset/target", 'Did you mean "label"?'),
    ],
)
def test_what_is_not_there_is_refused_with_the_remedy(changes: dict[str, Any], pointer: str, told: str) -> None:
    assert told in _refused(**changes)[pointer]


def test_one_of_several_configurations_must_be_chosen(cache: Path) -> None:
    for path in sorted((cache / "someone___flowers").glob("default")):
        path.rename(path.with_name("large"))
    assert _spec().data_shape.samples == 120
    _kept(cache, "train", config="small", rows=60)
    assert "one of large, small" in _refused()["/dataset/path"]
    assert _spec(config="small").data_shape.samples == 60


def test_a_split_in_several_files_is_told(cache: Path) -> None:
    _kept(cache, "test", shard="-00000-of-00002")
    assert "lies there in several files" in _refused(split="test")["/dataset/path"]


def test_a_file_s_path_never_names_a_cached_dataset(cache: Path) -> None:
    assert cache.is_dir()
    file = {"name": "file", "path": "someone/flowers::train", "target": "label"}
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": file, "model": "mlp"}, find=lambda _: None, look=_look().look)
    assert "reads no files of its own" in caught.value.problems[0].message


def test_a_worker_without_it_ends_the_run_and_says_so(cache: Path, tmp_path: Path) -> None:
    spec = _spec()
    kept = next(cache.rglob("*.arrow"))
    kept.unlink()
    with pytest.raises(InvalidData) as caught:
        _trained(spec, tmp_path)
    assert "its own cache" in str(caught.value.hint)
    _kept(cache, "train", rows=60)
    with pytest.raises(InvalidData, match="SHA-256 differs"):
        _trained(spec, tmp_path)
