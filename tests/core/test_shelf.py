"""The folder whose files specs may name: nothing outside of it is read, and nothing is looked into twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core.dataset import Profile
from core.errors import DataRefused, SpecRefused
from core.job import Problem
from core.shelf import Shelf
from core.spec import JobSpec, files_of, names_a_file, parse_spec
from tests.core.uploading import looked_into

CSV = "x,y\n1,a\n2,b\n3,a\n4,b\n"


class Looks:
    """Counts the looks, and refuses what begins with `bad`."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, path: Path, name: str) -> Profile:
        self.seen.append(name)
        if path.read_text().startswith("bad"):
            raise DataRefused([Problem("/file", "It is bad.")], count=3)
        return looked_into(path, name)


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def shelf(tmp_path: Path, looks: Looks) -> Shelf:
    root = tmp_path / "files"
    (root / "inner").mkdir(parents=True)
    for place in (root / "flowers.csv", root / "inner" / "more.csv", tmp_path / "secret.csv"):
        place.write_text(CSV)
    (root / "out.csv").symlink_to(tmp_path / "secret.csv")
    (root / "away").symlink_to(tmp_path)
    (root / "alias.csv").symlink_to("flowers.csv")
    (root / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(root / "pipe.csv")
    return Shelf(root, looks)


def spec(shelf: Shelf | None, **settings: Any) -> JobSpec:
    chosen = {"name": "file", "target": "y", **settings}
    return parse_spec(
        {"dataset": chosen, "model": "mlp", "split": {"stratify": False}}, lambda _: None, shelf.look if shelf else None
    )


def refused(shelf: Shelf | None, **settings: Any) -> dict[str, str]:
    with pytest.raises(SpecRefused) as caught:
        spec(shelf, **settings)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def test_a_file_is_judged_and_frozen_as_an_upload_is(shelf: Shelf) -> None:
    chosen = spec(shelf, path="inner/more.csv")
    facts = chosen.dataset.settings()["facts"]
    assert (facts.samples, facts.classes, facts.format, len(facts.sha256)) == (4, 2, "csv", 64)
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
    assert set(refused(shelf, path="flowers.csv", target="z", exclude=["w"])) == {
        "/dataset/target",
        "/dataset/exclude/0",
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd", "relative to that"),
        ("../secret.csv", "without `..`"),
        ("inner/../../secret.csv", "without `..`"),
        ("flowers.csv\0", "is no path"),
        ("out.csv", "leads out of the folder"),
        ("away/secret.csv", "leads out of the folder"),
        ("loop.csv", "no file"),
        ("inner", "but a folder"),
        ("pipe.csv", "is no file"),
        ("flower.csv", 'Did you mean "flowers.csv"'),
        ("flowers.csv/x", "no file"),
        ("x" * 999, "no file"),
    ],
)
def test_a_path_that_may_not_be_named_is_refused_before_anything_is_read(
    shelf: Shelf, looks: Looks, path: str, words: str
) -> None:
    assert words in refused(shelf, path=path)["/dataset/path"]
    assert looks.seen == []


def test_a_link_that_stays_in_the_folder_is_followed(shelf: Shelf) -> None:
    assert spec(shelf, path="alias.csv").data_shape.samples == 4


def test_a_file_is_looked_into_once_while_it_stays_the_same(shelf: Shelf, looks: Looks, tmp_path: Path) -> None:
    first = shelf.look("flowers.csv")
    assert shelf.look("flowers.csv") == first
    assert looks.seen == ["flowers.csv"]
    file = tmp_path / "files" / "flowers.csv"
    file.write_text(CSV.replace("4", "5"))
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert shelf.look("flowers.csv").sha256 != first.sha256
    assert len(looks.seen) == 2


def test_a_file_that_is_refused_is_not_looked_into_again_either(shelf: Shelf, looks: Looks, tmp_path: Path) -> None:
    (tmp_path / "files" / "bad.csv").write_text("bad")
    for _ in range(2):
        with pytest.raises(DataRefused) as caught:
            shelf.look("bad.csv")
        assert caught.value.count == 3
    assert looks.seen == ["bad.csv"]
    assert "It is bad." in refused(shelf, path="bad.csv")["/dataset/path"]


def test_a_file_that_changes_while_it_is_looked_into_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "growing.csv"
    file.write_text(CSV)

    def inspect(path: Path, name: str) -> Profile:
        found = looked_into(path, name)
        file.write_text(CSV + "5,a\n")
        return found

    with pytest.raises(DataRefused, match="changed while it was looked into"):
        Shelf(tmp_path, inspect).look("growing.csv")


def test_without_the_setting_the_remedy_is_told(looks: Looks) -> None:
    for none in (None, Shelf(None, looks)):
        assert "set TRAINWIRE_FILES" in refused(none, path="flowers.csv")["/dataset/path"]


def test_only_datasets_with_files_are_looked_up() -> None:
    asked = {"dataset": {"name": "file", "path": "a.csv", "test": "b.csv", "validation": 5}}
    assert files_of(asked) == ("a.csv", "b.csv")
    assert files_of({"dataset": {"name": "upload", "id": "ds_1"}}) == ()
    named: list[Any] = ["file", {"name": "upload"}, "iris", {"name": []}, 5]
    assert [names_a_file({"dataset": one}) for one in named] == [True, True, False, False, False]
