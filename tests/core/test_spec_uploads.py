"""An upload in a spec: judged by what was found in its file, and written down so that it never changes."""

from __future__ import annotations

from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile, Targets
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched
from tests.core.uploading import FLOWERS, found, stored, table

PIXELS = stored(Profile("images", "zip", 60, shape=(3, 20, 30), classes=("cat", "dog", "owl")))
LABELLED = stored(Profile("arrays", "npz", 50, shape=(4,), targets=Targets(classes=10)))
MEASURED = stored(Profile("arrays", "npz", 50, shape=(4,), targets=Targets(classes=None, outputs=2)))
BARE = stored(Profile("arrays", "npy", 50, shape=(4,)))


def spec(dataset: Dataset, /, model: Any = "mlp", fields: Any = None, **settings: Any) -> JobSpec:
    chosen = {"name": "upload", "id": "ds_1", **settings}
    return parse_spec({"dataset": chosen, "model": model, **(fields or {})}, found(dataset))


def facts(dataset: Dataset, /, **settings: Any) -> Any:
    return spec(dataset, **settings).dataset.settings()["facts"]


def refused(dataset: Dataset, /, fields: Any = None, **settings: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        spec(dataset, fields=fields, **settings)
    return {problem.pointer: problem for problem in caught.value.problems}


def test_a_table_is_learned_from_all_its_columns_but_target_text_and_constants() -> None:
    told = facts(table(), target="species")
    assert told.columns == {"petal": "number?", "color": "category 2?", "seen": "date", "wild": "boolean"}
    assert told.target == "category 3"
    assert (told.samples, told.features, told.classes) == (100, (2 + 3 + 7 + 1,), 3)


def test_features_are_read_in_the_order_of_the_file_whatever_the_spec_s_is() -> None:
    told = facts(table(), target="species", features=["wild", "petal"])
    assert list(told.columns) == ["petal", "wild"]


def test_excluded_columns_and_the_one_that_splits_are_left_out() -> None:
    parts = (Column("part", "category", 0, 2, counts={"train": 80, "test": 20}),)
    chosen = spec(table(FLOWERS + parts), target="species", exclude=["seen"], fields={"split": {"column": "part"}})
    told = chosen.dataset.settings()["facts"]
    assert list(told.columns) == ["petal", "color", "wild"]
    assert told.others == {"part": "category 2"}


def test_a_resolved_spec_means_the_same_without_the_dataset() -> None:
    chosen = spec(table(), target="species")
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
    assert chosen.data_shape.features == (13,)


def test_the_facts_of_a_client_are_not_read() -> None:
    lie = {"sha256": "b" * 64, "format": "csv", "form": "table", "samples": 5, "features": [1]}
    assert facts(table(), target="species", facts=lie) == facts(table(), target="species", facts={"no": "facts"})
    assert facts(table(), target="species", facts=lie).sha256 == "a" * 64


def test_an_upload_is_unknown_where_nobody_can_look_it_up() -> None:
    with pytest.raises(SpecRefused, match="known only to the service"):
        parse_spec({"dataset": {"name": "upload", "id": "ds_1"}, "model": "mlp"})


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        ("species", "auto", 3),
        ("wild", "auto", 2),
        ("flag", "auto", 2),
        ("flag", "numbers", None),
        ("count", "auto", None),
        ("count", "classes", 7),
        ("flag", "binary", 2),
    ],
)
def test_the_task_follows_from_the_target_unless_it_is_told(target: str, task: str, classes: int | None) -> None:
    numbers = (Column("flag", "number", 0, 2, 0.0, 1.0, 0.4), Column("count", "number", 0, 7, 0.0, 6.0, 2.5))
    assert facts(table(FLOWERS + numbers), target=target, task=task).classes == classes


def test_a_target_of_numbers_has_a_unit_that_nobody_knows_so_it_is_scaled() -> None:
    whole = (Column("x", "number", 0, 50, 0.0, 5.0, 2.5), Column("y", "number", 0, 90, 1.0, 9.0, 5.0))
    assert spec(table(whole), target="y").preprocess.target == "standard"
    assert spec(table(whole), target="y", fields={"preprocess": {"target": "none"}}).preprocess.target == "none"
    assert parse_spec({"dataset": "diabetes", "model": "mlp"}).preprocess.target == "none"


def test_rows_without_a_target_are_left_out_only_when_that_is_asked_for() -> None:
    problem = refused(table(), target="petal")["/dataset/target"]
    assert problem.message.startswith('2 of 100 rows have no "petal".')
    assert facts(table(), target="petal", drop_missing_target=True).samples == 98


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/dataset/target", "needs a target"),
    ({"target": "spezies"}, "/dataset/target", 'Did you mean "species"'),
    ({"target": "name"}, "/dataset/target", "free text"),
    ({"target": "seen"}, "/dataset/target", "dates"),
    ({"target": "country"}, "/dataset/target", "the same in every row"),
    ({"target": "empty"}, "/dataset/target", "empty in every row"),
    ({"target": "endless"}, "/dataset/target", "infinite"),
    ({"target": "codes"}, "/dataset/target", "1,500 classes; at most 1,000"),
    ({"target": "species", "task": "binary"}, "/dataset/task", "there are 3"),
    ({"target": "species", "task": "numbers"}, "/dataset/task", "not numbers"),
    ({"target": "species", "features": ["colour"]}, "/dataset/features/0", 'Did you mean "color"'),
    ({"target": "species", "features": ["petal", "name"]}, "/dataset/features/1", "free text"),
    ({"target": "species", "features": ["petal", "petal"]}, "/dataset/features/1", "twice"),
    ({"target": "species", "features": ["species"]}, "/dataset/features", "target cannot be a feature"),
    ({"target": "species", "features": ["petal"], "exclude": ["wild"]}, "/dataset/exclude", "not both"),
    ({"target": "species", "features": []}, "/dataset/features", "No column is left"),
    ({"target": "species", "exclude": ["nmae"]}, "/dataset/exclude/0", 'Did you mean "name"'),
    ({"target": "species", "size": [8, 8]}, "/dataset/size", "resizes pictures"),
    ({"target": "species", "id": "ds_2"}, "/dataset/id", "no dataset"),
]
ODD = (
    Column("empty", "number", 100, 0),
    Column("endless", "number", 0, 5, 0.0, float("inf"), float("inf")),
    Column("codes", "category", 0, 1_500),
)


@pytest.mark.parametrize(("settings", "pointer", "words"), WRONG, ids=[str(one[0]) for one in WRONG])
def test_what_cannot_be_learned_is_refused_where_it_stands(settings: Any, pointer: str, words: str) -> None:
    problems = refused(table(FLOWERS + ODD, rows=2_000), **settings)
    assert words in problems[pointer].message
    assert problems[pointer].allowed is not None


def test_every_problem_of_the_spec_comes_in_one_answer() -> None:
    problems = refused(table(), target="spezies", exclude=["nmae"], fields={"epochs": 0, "optimizer": "adamm"})
    assert set(problems) == {"/dataset/target", "/dataset/exclude/0", "/epochs", "/optimizer"}


def test_an_unknown_target_is_told_with_all_columns() -> None:
    assert refused(table(), target="spezies")["/dataset/target"].allowed == [one.name for one in FLOWERS]


def test_the_store_is_asked_once() -> None:
    asked: list[str] = []

    def find(wanted: str) -> Dataset:
        asked.append(wanted)
        return table()

    parse_spec({"dataset": {"name": "upload", "id": "ds_1", "target": "species"}, "model": "mlp"}, find)
    assert asked == ["ds_1"]


def test_arrays_bring_their_targets() -> None:
    assert (facts(LABELLED).features, facts(LABELLED).classes) == ((4,), 10)
    assert (facts(MEASURED).classes, facts(MEASURED).outputs) == (None, 2)
    assert facts(LABELLED, task="numbers").classes is None
    assert "without targets" in refused(BARE)["/dataset/id"].message
    assert "needs labels" in refused(MEASURED, task="classes")["/dataset/task"].message


def test_pictures_have_classes_and_the_size_that_is_asked_for() -> None:
    assert (facts(PIXELS).features, facts(PIXELS).classes) == ((3, 20, 30), 3)
    assert facts(PIXELS, size=[16, 24]).features == (3, 16, 24)
    assert "classes, not numbers" in refused(PIXELS, task="numbers")["/dataset/task"].message


def test_pictures_of_one_class_can_only_be_reconstructed() -> None:
    cats = stored(Profile("images", "zip", 60, shape=(3, 20, 30), classes=("cats",)))
    told = 'All its pictures are of one class, "cats": give each class a folder, or tell the classes in labels.csv.'
    assert refused(cats)["/dataset/id"].message.startswith(told)
    assert spec(cats, model="autoencoder").dataset.settings()["facts"].itself


@pytest.mark.parametrize("dataset", [PIXELS, LABELLED], ids=["images", "arrays"])
def test_what_only_tables_have_is_refused_for_others(dataset: Dataset) -> None:
    problems = refused(dataset, target="species", exclude=["a"], drop_missing_target=True)
    assert set(problems) == {"/dataset/target", "/dataset/exclude", "/dataset/drop_missing_target"}


def test_a_table_of_a_thousand_columns_can_be_named() -> None:
    wide = tuple(Column(f"c{place}", "number", 0, 9, 0.0, 1.0, 0.5) for place in range(1_000))
    chosen = spec(table(wide), target="c0")
    assert len(chosen.dataset.settings()["facts"].columns) == 999
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_a_fork_goes_on_with_the_same_data_and_no_other() -> None:
    parent = spec(table(), target="species").model_dump(mode="json")
    assert patched(parent, {"lr": 0.5}, epoch=1).dataset == spec(table(), target="species").dataset
    with pytest.raises(SpecRefused) as caught:
        patched(parent, {"dataset": {"target": "color", "facts": {"samples": 5}}}, epoch=1)
    assert {one.pointer for one in caught.value.problems} == {"/patch/dataset/target", "/patch/dataset/facts"}
