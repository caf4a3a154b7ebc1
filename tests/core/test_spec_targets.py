"""Several targets in a spec: numbers side by side, or labels of which a sample may have any number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.dataset import Column, Dataset, Odd
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from tests.core.uploading import found, table

FILMS = (
    Column("length", "number", 0, 90, 1.0, 9.0, 5.0),
    Column("budget", "number", 0, 80, 1.0, 99.0, 50.0),
    Column("gross", "number", 3, 80, 1.0, 99.0, 50.0),
    Column("rating", "number", 2, 80, 1.0, 99.0, 50.0),
    Column("funny", "boolean", 0, 2),
    Column("sad", "number", 0, 2, 0.0, 1.0, 0.4),
    Column("long", "boolean", 0, 1),
    Column("studio", "category", 0, 4, counts={"a": 40, "b": 30, "c": 20, "d": 10}),
    Column("genres", "category", 0, 3, counts={"comedy| drama": 50, "drama": 30, "|": 20}),
    Column("one", "category", 0, 2, counts={"x": 50, "x|": 50}),
    Column("tags", "text", 0, 99),
)


def spec(fields: Any = None, dataset: Dataset | None = None, **settings: Any) -> JobSpec:
    chosen = {"name": "upload", "id": "ds_1", **settings}
    return parse_spec({"dataset": chosen, "model": "mlp", **(fields or {})}, found(dataset or table(FILMS)))


def refused(fields: Any = None, **settings: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        spec(fields, **settings)
    return {problem.pointer: problem for problem in caught.value.problems}


def test_columns_of_numbers_are_predicted_side_by_side_and_scaled() -> None:
    chosen = spec(target=["budget", "length"])
    shape = chosen.data_shape
    assert (shape.task, shape.outputs, chosen.model_shape.outputs) == ("numbers", 2, 2)
    assert chosen.dataset.settings()["facts"].targets == {"budget": "number", "length": "number"}
    assert (chosen.loss.name, chosen.preprocess.target, chosen.split.stratify) == ("mse", "standard", False)
    assert {"budget", "length"}.isdisjoint(chosen.dataset.settings()["facts"].columns)


def test_columns_of_yes_and_no_are_labels() -> None:
    chosen = spec(target=["funny", "sad"])
    assert (chosen.data_shape.task, chosen.model_shape.outputs) == ("labels", 2)
    assert chosen.dataset.settings()["facts"].labels == ("funny", "sad")
    assert (chosen.loss.name, [one.name for one in chosen.metrics]) == ("bce", ["f1"])
    assert (chosen.split.stratify, chosen.preprocess.target) == (False, "none")


def test_the_words_of_one_column_are_labels_where_a_separator_parts_them() -> None:
    chosen = spec(target="genres", target_separator="|")
    assert chosen.dataset.settings()["facts"].labels == ("comedy", "drama")
    assert (chosen.data_shape.task, chosen.data_shape.outputs) == ("labels", 2)


@pytest.mark.parametrize(
    ("settings", "task"),
    [
        ({"target": ["sad", "length"]}, "numbers"),
        ({"target": ["funny", "sad"], "task": "labels"}, "labels"),
        ({"target": ["studio"]}, "classes"),
        ({"target": "genres"}, "classes"),
    ],
)
def test_the_task_follows_from_the_columns_unless_it_is_told(settings: Any, task: str) -> None:
    assert spec(**settings).data_shape.task == task


def test_a_spec_over_several_targets_means_the_same_when_it_is_read_again() -> None:
    for settings in ({"target": ["funny", "sad"]}, {"target": "genres", "target_separator": "|"}):
        chosen = spec(**settings)
        assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_columns_of_different_kinds_are_refused_with_the_kind_of_each() -> None:
    problem = refused(target=["length", "funny", "studio"])["/dataset/target"]
    assert '"length": number, "funny": boolean and "studio": category of 4 words' in problem.message
    assert '"length": number' in refused(target=["length", "sad"], task="labels")["/dataset/target"].message


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"target": ["length", "bugdet"]}, "/dataset/target/1", 'Did you mean "budget"'),
    ({"target": ["length", "length"]}, "/dataset/target/1", "named twice"),
    ({"target": ["funny", "long"]}, "/dataset/target/1", "the same in every row"),
    ({"target": ["funny", "sad"], "task": "classes"}, "/dataset/task", "for one target"),
    ({"target": "funny", "task": "labels"}, "/dataset/task", "a list of columns"),
    ({"target": ["funny", "sad"], "features": ["sad", "length"]}, "/dataset/features", "cannot be a feature too"),
    ({"target": []}, "/dataset/target", "needs a target"),
    ({"target": ["length", "gross"]}, "/dataset/target/1", "3 of 100 rows"),
    ({"target": ["rating", "gross"], "drop_missing_target": True}, "/dataset/target", "was not counted"),
    ({"target": "tags", "target_separator": "|"}, "/dataset/target_separator", "too many different cells"),
    ({"target": "one", "target_separator": "|"}, "/dataset/target_separator", "into 1 labels"),
    ({"target": "length", "target_separator": "|"}, "/dataset/target_separator", "parts words"),
    ({"target": ["genres", "studio"], "target_separator": "|"}, "/dataset/target_separator", "one column"),
    ({"target": "genres", "target_separator": "|", "task": "binary"}, "/dataset/task", "a separator parts"),
]


@pytest.mark.parametrize(("settings", "pointer", "words"), WRONG, ids=[str(one[0]) for one in WRONG])
def test_targets_that_cannot_be_learned_are_refused_where_they_stand(settings: Any, pointer: str, words: str) -> None:
    problem = refused(**settings)[pointer]
    assert words in problem.message
    assert problem.allowed is not None


def test_rows_without_one_of_the_targets_are_left_out() -> None:
    facts = spec(target=["length", "gross"], drop_missing_target=True).dataset.settings()["facts"]
    assert facts.samples == 97


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"split": {"stratify": True}}, "/split/stratify", "several"),
        ({"loss": "cross_entropy"}, "/loss", "a target of 2 labels"),
        ({"metrics": ["rmse"]}, "/metrics/0", "a target of 2 labels"),
        ({"preprocess": {"target": "standard"}}, "/preprocess/target", "a target of 2 labels"),
    ],
)
def test_what_labels_do_not_take_is_refused(fields: Any, pointer: str, words: str) -> None:
    assert words in refused(fields, target=["funny", "sad"])[pointer].message


def test_only_labels_have_an_exact_match() -> None:
    assert "not for a target of numbers" in refused({"metrics": ["exact_match"]}, target="length")["/metrics/0"].message


ODD = Odd(4, 98, ((3, "abc"), (17, "n.a."), (20, "-")))
CLOSE = (
    Column("price", "category", 0, 60, odd=ODD),
    Column("weight", "text", 2, 95, odd=replace(ODD, count=1, places=ODD.places[:1])),
    Column("length", "number", 0, 90, 1.0, 9.0, 5.0),
)


@pytest.mark.parametrize(
    ("settings", "pointer", "words"),
    [
        ({"target": "price"}, "/dataset/target", '4 of its 98 cells are no numbers: "abc" in row 3, "n.a." in row 17'),
        ({"target": "price", "task": "numbers"}, "/dataset/task", '"-" in row 20, …'),
        ({"target": "weight"}, "/dataset/target", '1 of its 98 cells is no number: "abc" in row 3.'),
        ({"target": ["price", "length"]}, "/dataset/target", 'Of "price": 4 of its 98'),
        ({"target": "length", "features": ["weight"]}, "/dataset/features/0", '1 of its 98 cells is no number: "abc"'),
    ],
)
def test_words_that_keep_a_column_from_being_numbers_are_told(settings: Any, pointer: str, words: str) -> None:
    with pytest.raises(SpecRefused) as caught:
        spec(dataset=table(CLOSE), **settings)
    assert words in {problem.pointer: problem.message for problem in caught.value.problems}[pointer]


def test_numbers_with_a_few_words_are_classes_for_whoever_says_so() -> None:
    drawn = {"split": {"stratify": False}}
    assert spec(drawn, table(CLOSE), target="price", task="classes").data_shape.classes == 60


def test_a_thousand_columns_and_many_labels_make_a_spec_that_can_be_read_again() -> None:
    flags = tuple(Column(f"l{place}", "boolean", 0, 2) for place in range(500))
    wide = tuple(Column(f"c{place}", "number", 0, 9, 0.0, 1.0, 0.5) for place in range(500))
    chosen = spec(dataset=table(flags + wide), target=[one.name for one in flags])
    assert (chosen.data_shape.outputs, chosen.data_shape.features) == (500, (500,))
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
