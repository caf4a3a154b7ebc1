"""Files that validate and test in a spec: judged against the one that trains, and frozen with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile, Targets
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched
from tests.core.uploading import stored

COLUMNS = (
    Column("kind", "category", 0, 3, counts={"cat": 50, "dog": 30, "owl": 20}),
    Column("size", "number", 0, 90, 1.0, 9.0, 5.0),
    Column("color", "category", 0, 4, counts={"a": 40, "b": 30, "c": 20, "d": 10}),
    Column("tame", "boolean", 0, 2, counts={"true": 50, "false": 50}),
    Column("fast", "boolean", 0, 2, counts={"true": 50, "false": 50}),
    Column("part", "category", 0, 2, counts={"train": 90, "val": 10}),
)


def table(sha: str, *columns: Column, rows: int = 100) -> Dataset:
    changed = {one.name: one for one in columns}
    kept = tuple(changed.get(one.name, one) for one in COLUMNS)
    return stored(Profile("table", "csv", rows, kept), sha256=sha * 64)


WHOLE = table("a")
OTHERS = {
    "ds_held": table("b", Column("kind", "category", 0, 2, counts={"cat": 5, "owl": 5}), rows=10),
    "ds_tested": table("c", rows=20),
    "ds_gaps": table("d", Column("kind", "category", 4, 1, counts={"cat": 26}), rows=30),
    "ds_odd": table("e", Column("kind", "category", 0, 2, counts={"cat": 5, "bat": 5, "elk": 1})),
    "ds_words": table("f", Column("size", "category", 0, 2, counts={"big": 5})),
    "ds_notes": table("0", Column("color", "text", 0, 90)),
    "ds_narrow": stored(Profile("table", "csv", 9, COLUMNS[:1] + COLUMNS[2:]), sha256="1" * 64),
    "ds_images": stored(Profile("images", "zip", 9, shape=(3, 8, 8), classes=("cat", "bat")), sha256="2" * 64),
}
ARRAYS = {
    "ds_1": stored(Profile("arrays", "npz", 50, shape=(4,), targets=Targets(3))),
    "ds_fit": stored(Profile("arrays", "npz", 7, shape=(4,), targets=Targets(2)), sha256="3" * 64),
    "ds_wide": stored(Profile("arrays", "npz", 7, shape=(5,), targets=Targets(None, 2)), sha256="4" * 64),
}


def spec(fields: Any = None, store: Any = None, **settings: Any) -> JobSpec:
    chosen = {"name": "upload", "id": "ds_1", **settings}
    known = store or {"ds_1": WHOLE, **OTHERS}
    return parse_spec({"dataset": chosen, "model": "mlp", **(fields or {})}, known.get)


def refused(fields: Any = None, store: Any = None, **settings: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        spec(fields, store, **settings)
    return {problem.pointer: problem for problem in caught.value.problems}


def test_files_that_validate_and_test_leave_the_one_that_trains_whole() -> None:
    chosen = spec(target="kind", validation="ds_held", test="ds_tested", exclude=["part"])
    assert (chosen.train_samples, chosen.val_samples, chosen.test_samples) == (100, 10, 20)
    assert (chosen.split.validation, chosen.split.test) == (0.0, 0.0)
    told = chosen.dataset.settings()["facts"]
    assert {part: (one.sha256[0], one.samples) for part, one in told.apart.items()} == {
        "validation": ("b", 10),
        "test": ("c", 20),
    }
    assert (told.samples, told.columns["color"]) == (100, "category 4")
    assert [one.name for one in chosen.metrics] == ["accuracy"]
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_one_part_may_have_a_file_while_the_other_takes_its_share() -> None:
    chosen = spec({"split": {"test": 0.1}}, target="kind", validation="ds_held")
    assert (chosen.train_samples, chosen.val_samples, chosen.test_samples) == (90, 10, 10)
    usual = spec(target="kind", test="ds_tested")
    assert (usual.train_samples, usual.val_samples, usual.test_samples) == (80, 20, 20)
    assert usual.checkpoints.monitor == "val_loss"


def test_a_file_for_validation_alone_is_what_is_monitored() -> None:
    assert spec({"split": {"validation": 0}}, target="kind", validation="ds_held").checkpoints.monitor == "val_loss"


def test_words_are_words_whether_they_repeat_or_not() -> None:
    assert spec(target="kind", validation="ds_notes").val_samples == 100


def test_rows_without_a_target_are_left_out_of_each_file() -> None:
    assert spec(target="kind", validation="ds_gaps", drop_missing_target=True).val_samples == 26
    assert (
        '4 of 30 rows here have no "kind"'
        in refused(target="kind", validation="ds_gaps")["/dataset/validation"].message
    )


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"validation": "ds_odd"}, "/dataset/validation", 'not trained: "bat", "elk"'),
    ({"test": "ds_words"}, "/dataset/test", '"size" holds category values here, where it trains number'),
    ({"test": "ds_narrow"}, "/dataset/test", 'no column "size"'),
    ({"test": "ds_images"}, "/dataset/test", "holds images, the one that trains table"),
    ({"test": "ds_1"}, "/dataset/test", "the very file that trains"),
    ({"validation": "ds_none"}, "/dataset/validation", 'no dataset "ds_none"'),
]


@pytest.mark.parametrize(("settings", "pointer", "words"), WRONG, ids=[str(one[0]) for one in WRONG])
def test_a_file_that_cannot_be_a_part_is_refused_where_it_is_named(settings: Any, pointer: str, words: str) -> None:
    problem = refused(target="kind", **settings)[pointer]
    assert words in problem.message
    assert problem.allowed is not None


def test_all_that_is_wrong_with_a_file_is_told_together() -> None:
    both = replace(OTHERS["ds_words"], profile=Profile("table", "csv", 9, (OTHERS["ds_words"].profile.columns[1],)))
    told = refused(None, {"ds_1": WHOLE, "ds_2": both}, target="kind", test="ds_2")["/dataset/test"].message
    assert 'no column "kind"' in told
    assert '"size" holds category values here' in told


@pytest.mark.parametrize(
    ("split", "pointer"),
    [
        ({"validation": 0.1}, "/split/validation"),
        ({"column": "part"}, "/split/column"),
        ({"folds": 5}, "/split/folds"),
    ],
)
def test_a_part_that_has_a_file_takes_no_share(split: Any, pointer: str) -> None:
    assert "names a file for" in refused({"split": split}, target="kind", validation="ds_held")[pointer].message


def test_labels_that_never_trained_are_refused() -> None:
    words = (Column("genres", "category", 0, 2, counts={"a|b": 50, "a": 50}), *COLUMNS)
    other = (Column("genres", "category", 0, 2, counts={"a|c": 50, "b": 50}), *COLUMNS)
    known = {"ds_1": stored(Profile("table", "csv", 100, words))}
    known["ds_2"] = stored(Profile("table", "csv", 100, other), sha256="b" * 64)
    asked = {"target": "genres", "target_separator": "|"}
    assert 'not trained: "c"' in refused(None, known, **asked, test="ds_2")["/dataset/test"].message
    assert spec(target=["tame", "fast"], validation="ds_held").val_samples == 10


def test_arrays_need_samples_of_the_same_shape_and_targets_of_the_same_kind() -> None:
    assert spec(None, ARRAYS, validation="ds_fit").val_samples == 7
    told = refused(None, ARRAYS, validation="ds_wide")["/dataset/validation"].message
    assert "the shape [5]" in told
    assert "another kind" in told


def test_a_fork_cannot_change_the_files() -> None:
    parent = spec(target="kind", test="ds_tested").model_dump(mode="json")
    with pytest.raises(SpecRefused) as caught:
        patched(parent, {"dataset": {"test": None}}, epoch=1)
    assert [one.pointer for one in caught.value.problems] == ["/patch/dataset/test"]


def test_a_wrong_column_of_the_split_is_told_beside_a_wrong_target() -> None:
    problems = refused({"split": {"column": "prat"}}, target="knid", exclude=["size"])
    assert set(problems) == {"/dataset/target", "/split/column"}
    assert 'Did you mean "part"' in problems["/split/column"].message
    assert set(refused({"split": {"time": "color"}}, target="knid")) == {"/dataset/target", "/split/time"}
