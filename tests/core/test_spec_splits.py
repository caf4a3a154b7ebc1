"""Three parts of a dataset in a spec: by shares, in time, or as a column says."""

from __future__ import annotations

from typing import Any

import pytest

from core.dataset import Column, Dataset, Profile
from core.errors import SpecRefused
from core.job import Problem
from core.spec import JobSpec, parse_spec
from core.spec.patching import patched
from tests.core.uploading import FLOWERS, found, stored, table

PARTS = Column("part", "category", 0, 3, counts={"train": 70, "Val": 20, " TEST ": 10})
HALVES = Column("halves", "category", 0, 2, counts={"train": 70, "test": 30})
SEEN = Column("noticed", "date", 4, 60)
ODD = Column("odd", "category", 0, 7, counts={"train": 90, **dict.fromkeys("abcdef", 1)})
UNTRAINED = Column("untrained", "category", 0, 2, counts={"val": 70, "test": 30})
PATIENT = Column("patient", "text", 0, 30, groups="3x20 4x10")
LEFT = Column("left", "number", 3, 2, groups="40x1 57x1")
COUNTED = Column("counted", "category", 0, 2, counts={"a": 60, "b": 40})
ENDLESS = Column("endless", "number", 0, 300_000)
ONE = Column("one", "category", 0, 1, groups="100x1")
WIDE = table((*FLOWERS, PATIENT, LEFT, COUNTED, ENDLESS, ONE, PARTS, HALVES, SEEN, ODD, UNTRAINED))


def spec(split: Any, dataset: Dataset = WIDE, **settings: Any) -> JobSpec:
    chosen = {"name": "upload", "id": "ds_1", "target": "species", **settings}
    return parse_spec({"dataset": chosen, "model": "mlp", "split": split}, found(dataset))


def refused(split: Any, dataset: Dataset = WIDE, **settings: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        spec(split, dataset, **settings)
    return {problem.pointer: problem for problem in caught.value.problems}


def refused_iris(split: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": "iris", "model": "linear", "split": split})
    return {problem.pointer: problem for problem in caught.value.problems}


def test_shares_make_three_parts_of_any_dataset() -> None:
    chosen = parse_spec({"dataset": "iris", "model": "linear", "split": {"validation": 0.2, "test": 0.1}})
    assert chosen.split_sizes == (105, 30, 15)
    assert (chosen.train_samples, chosen.val_samples, chosen.test_samples) == (105, 30, 15)


@pytest.mark.parametrize(
    ("split", "pointer", "most"),
    [
        ({"validation": 0.2, "test": 0.9}, "/split/test", 119 / 150),
        ({"validation": 0.9, "test": 0.2}, "/split/validation", 119 / 150),
        ({"validation": 0, "test": 0.999}, "/split/test", 149 / 150),
    ],
)
def test_shares_leave_samples_to_train_on(split: dict[str, float], pointer: str, most: float) -> None:
    problems = refused_iris(split)
    assert problems[pointer].allowed == {"maximum": most}
    assert "leaves none to train on" in problems[pointer].message
    parse_spec({"dataset": "iris", "model": "linear", "split": {**split, pointer[7:]: most, "stratify": False}})


def test_every_part_of_a_stratified_split_has_room_for_every_class() -> None:
    assert "30 validation and 2 test" in refused_iris({"test": 0.01})["/split/test"].message
    assert list(refused_iris({"validation": 0.49, "test": 0.495})) == ["/split/test"]


def test_metrics_are_computed_on_a_test_part_too() -> None:
    chosen = parse_spec({"dataset": "iris", "model": "linear", "split": {"validation": 0, "test": 0.2}})
    assert [metric.name for metric in chosen.metrics] == ["accuracy"]
    assert chosen.checkpoints.monitor == "train_loss"
    few = {"validation": 0.2, "test": 0.001}
    with pytest.raises(SpecRefused, match="needs 2 test samples; this split has 1"):
        parse_spec({"dataset": "diabetes", "model": "linear", "metrics": ["r2"], "split": few})


def test_a_column_says_how_large_the_parts_are() -> None:
    chosen = spec({"column": "part"})
    assert chosen.split_sizes == (70, 20, 10)
    assert chosen.split.model_dump() == {
        "validation": None, "test": None, "seed": 0, "stratify": False, "time": None, "column": "part",
        "group": None, "folds": None, "fold": None,
    }  # fmt: skip
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


def test_without_a_row_for_validation_the_training_loss_is_watched() -> None:
    chosen = spec({"column": "halves"})
    assert chosen.split_sizes == (70, 0, 30)
    assert chosen.checkpoints.monitor == "train_loss"
    assert [metric.name for metric in chosen.metrics] == ["accuracy"]
    assert patched(chosen.model_dump(mode="json"), {"epochs": 20}, epoch=1).checkpoints.monitor == "train_loss"


def test_a_split_in_time_takes_its_shares_from_the_end() -> None:
    chosen = spec({"time": "seen", "validation": 0.1, "test": 0.2})
    assert chosen.split_sizes == (70, 10, 20)
    assert chosen.split.stratify is False
    assert parse_spec(chosen.model_dump(mode="json")) == chosen


@pytest.mark.parametrize(
    ("split", "pointer", "words"),
    [
        ({"column": "prt"}, "/split/column", 'Did you mean "part"?'),
        ({"column": "species"}, "/split/column", "is the target"),
        ({"time": "petal"}, "/split/time", '2 of 100 rows have no "petal"'),
        ({"time": "noticed"}, "/split/time", '4 of 100 rows have no "noticed"'),
        ({"time": "part"}, "/split/time", "goes by dates or numbers"),
        ({"time": "country"}, "/split/time", "goes by dates or numbers"),
        ({"column": "wild"}, "/split/column", "does not say train, validation or test"),
        ({"column": "odd"}, "/split/column", '"a", "b", "c", "d", "e" and 1 more'),
        ({"column": "untrained"}, "/split/column", "nothing to train on"),
        ({"column": "part", "test": 0.1}, "/split/test", "leave the share out"),
        ({"column": "part", "stratify": True}, "/split/stratify", "Only a split that is drawn"),
        ({"time": "seen", "stratify": True}, "/split/stratify", "Only a split that is drawn"),
        ({"time": "seen", "column": "part"}, "/split/time", "not by both"),
        ({"group": "patient", "column": "part"}, "/split/column", "by a column of parts or by group"),
        ({"group": "patient", "time": "seen"}, "/split/time", "by time or by group"),
        ({"group": "patient", "stratify": True}, "/split/stratify", "Whole groups cannot be dealt by classes"),
        ({"group": "patint"}, "/split/group", 'Did you mean "patient"'),
        ({"group": "left"}, "/split/group", '3 of 100 rows have no "left"'),
        ({"group": "species"}, "/split/group", "is the target"),
        ({"group": "one"}, "/split/group", "all rows are one group"),
        ({"group": "endless"}, "/split/group", "about 300,000 values, fractions, or too many"),
        ({"group": "counted", "test": 0.1}, "/split/group", "2 groups, too few for the training part and a group for"),
        ({"group": "counted", "folds": 3}, "/split/folds", "2 groups, too few for 3 folds"),
        ({"group": "patient", "validation": 0.6, "test": 0.7}, "/split/test", "leaves none to train on"),
        ({"folds": 5, "validation": 0.2}, "/split/validation", "Each of the 5 folds validates in its turn"),
        ({"folds": 5, "column": "part"}, "/split/folds", "says which rows validate"),
        ({"folds": 5, "time": "seen"}, "/split/folds", "would train on what comes after it"),
        ({"folds": 21}, "/split/folds", "less than or equal to 20"),
        ({"folds": 12, "test": 0.9, "stratify": False}, "/split/folds", "12 folds need as many samples; 10 are left"),
        ({"folds": 4, "fold": 5}, "/split/fold", "There is no fold 5 of 4"),
        ({"fold": 1}, "/split/fold", "say how many"),
        ({"folds": 3, "validation": None, "test": None}, "/split/test", "give a number"),
        ({"test": None}, "/split/test", "give a number"),
        ({"time": ""}, "/split/time", "at least 1 character"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused_where_it_stands(
    split: dict[str, Any], pointer: str, words: str
) -> None:
    problems = refused(split)
    assert list(problems) == [pointer]
    assert words in problems[pointer].message


def test_a_moment_that_all_rows_share_orders_none() -> None:
    still = table((*FLOWERS, Column("moment", "date", 0, 1)))
    assert "none is later" in refused({"time": "moment"}, still)["/split/time"].message


def test_rows_that_are_left_out_cannot_be_counted_by_a_column() -> None:
    gaps = table((Column("species", "category", 5, 3), *FLOWERS[1:], PARTS, Column("year", "number", 0, 9, 1.0, 9.0)))
    problems = refused({"column": "part"}, gaps, drop_missing_target=True)
    assert problems["/split/column"].allowed == {"drop_missing_target": False}
    assert spec({"time": "year"}, gaps, drop_missing_target=True).split_sizes == (76, 19, 0)


@pytest.mark.parametrize("way", ["time", "column", "group"])
def test_only_an_uploaded_table_has_columns_to_split_by(way: str) -> None:
    assert 'The dataset "iris" has no columns' in refused_iris({way: "part"})[f"/split/{way}"].message
    pictures = stored(Profile("images", "zip", 60, shape=(3, 20, 30), classes=("cat", "dog")))
    assert "This upload is no table" in refused({way: "part"}, pictures, target=None)[f"/split/{way}"].message


def test_problems_of_the_split_are_told_with_the_others() -> None:
    chosen = {"name": "upload", "id": "ds_1", "target": "species"}
    with pytest.raises(SpecRefused) as caught:
        parse_spec({"dataset": chosen, "model": "mlp", "split": {"column": "odd"}, "epochs": 0}, found(WIDE))
    assert {problem.pointer for problem in caught.value.problems} == {"/epochs", "/split/column"}


def test_groups_say_how_large_the_parts_are() -> None:
    chosen = spec({"group": "patient", "validation": 0.2, "test": 0.1})
    assert chosen.split_sizes == (70, 20, 10)
    assert chosen.split.stratify is False
    assert "patient" not in chosen.dataset.settings()["facts"].columns, "who it is, is nothing to learn from"
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
    assert [one.split_sizes for one in spec({"group": "patient", "folds": 3}).rounds] == [
        (66, 34, 0), (67, 33, 0), (67, 33, 0),
    ]  # fmt: skip


def test_a_group_is_no_feature_even_when_it_is_named() -> None:
    coloured = table((*FLOWERS[:2], Column("color", "category", 0, 2, groups="50x2")))
    problems = refused({"group": "color"}, coloured, features=["petal", "color"])
    assert "cannot be a feature" in problems["/dataset/features/1"].message


def test_groups_of_an_upload_from_before_they_were_counted_are_told_by_its_counts() -> None:
    assert spec({"group": "counted", "validation": 0.3}).split_sizes == (60, 40, 0)


def test_rows_that_are_left_out_cannot_be_counted_by_group() -> None:
    gaps = table((Column("species", "category", 5, 3), *FLOWERS[1:], PATIENT))
    problems = refused({"group": "patient"}, gaps, drop_missing_target=True)
    assert problems["/split/group"].allowed == {"drop_missing_target": False}
    assert "each group is not known" in problems["/split/group"].message


def test_folds_train_on_all_but_one_part_each() -> None:
    chosen = parse_spec({"dataset": "iris", "model": "linear", "split": {"folds": 4, "test": 0.1}})
    assert chosen.split.validation is None
    assert [one.split_sizes for one in chosen.rounds] == [(101, 34, 15)] * 3 + [(102, 33, 15)]
    assert [one.split.fold for one in chosen.rounds] == [1, 2, 3, 4]
    assert chosen.checkpoints.monitor == "val_loss"
    assert parse_spec(chosen.model_dump(mode="json")) == chosen
    alone = parse_spec({"dataset": "iris", "model": "linear", "split": {"folds": 4, "fold": 4, "test": 0.1}})
    assert alone.rounds == (alone,)
    assert alone.split_sizes == (102, 33, 15)


def test_what_must_fit_each_fold_is_judged_by_each_fold() -> None:
    # of 10 samples, 3 folds hold 4, 3 and 3 back: only those that train on 7 end on a batch of one
    small = {"name": "blobs", "samples": 10, "features": 2, "classes": 2}
    fields = {"dataset": small, "model": {"name": "mlp", "batch_norm": True}, "batch_size": 6}
    with pytest.raises(SpecRefused) as caught:
        parse_spec({**fields, "split": {"folds": 3}})
    assert [problem.pointer for problem in caught.value.problems] == ["/batch_size"]
    assert "last batch of 1 of 7" in caught.value.problems[0].message
    assert parse_spec({**fields, "split": {"folds": 3, "fold": 1}}).steps_per_epoch == 1


def test_every_fold_of_a_stratified_cross_validation_holds_every_class() -> None:
    rare = Column("species", "category", 0, 3, counts={"a": 60, "b": 36, "c": 4})
    told = refused({"folds": 5}, table((rare, *FLOWERS[1:])))["/split/folds"]
    assert "The smallest class has 4 rows, too few" in told.message
    assert told.allowed == {"maximum": 4}
    assert (
        "3 rows beside the test part"
        in refused({"folds": 4, "test": 0.2}, table((rare, *FLOWERS[1:])))["/split/folds"].message
    )
    assert spec({"folds": 5, "stratify": False}, table((rare, *FLOWERS[1:]))).split_sizes.validation == 20


def test_a_job_with_folds_has_no_epoch_to_fork_at() -> None:
    chosen = spec({"folds": 3}).model_dump(mode="json")
    with pytest.raises(SpecRefused, match="trains 3 folds anew") as caught:
        patched(chosen, {}, epoch=1)
    assert [problem.pointer for problem in caught.value.problems] == ["/patch"]
    assert patched(spec({"folds": 3, "fold": 2}).model_dump(mode="json"), {"epochs": 20}, epoch=1).epochs == 20
