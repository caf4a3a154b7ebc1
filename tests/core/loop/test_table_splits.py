"""Parts of an uploaded table by its own columns: who trains, validates and tests is what the file says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidData
from core.events import Finished
from core.loading import data
from core.loading.samples import Samples
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench, pieced
from tests.core.uploading import Shelf

WORDS = ("train", "Train", "val", "test", "TRAINING", "train")
"""In this order, over and over: of 60 rows 40 train, 10 validate and 10 test."""
DAYS = np.random.default_rng(0).permutation(60)
OF_PATIENT = np.random.default_rng(1).integers(0, 23, 60)
CSV = "day,when,part,patient,x,y\n" + "".join(
    f"{day},2026-01-01T{day % 24:02}:00:00,{WORDS[row % 6]},p{OF_PATIENT[row]},{day % 7},{3 * (day % 7) + row % 2}\n"
    for row, day in enumerate(DAYS.tolist())
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("datasets"))


def spec(shelf: Shelf, split: dict[str, Any], **fields: Any) -> JobSpec:
    # the one feature is the row's day, so that what a part holds can be read from it
    settings = {"target": "y", "features": ["day"]}
    unscaled = {"features": "none", "target": "none"}
    return shelf.spec(shelf.put("days.csv", CSV.encode()), settings, split=split, preprocess=unscaled, **fields)


def days(shelf: Shelf, chosen: JobSpec) -> list[list[int]]:
    made = data.make(chosen, cache=None, datasets=shelf.folder)
    return [[] if part is None else part.x[:, 0].int().tolist() for part in (made.train, made.held, made.test)]


def test_in_time_the_last_rows_are_held_back(shelf: Shelf) -> None:
    train, held, test = days(shelf, spec(shelf, {"time": "day", "validation": 0.2, "test": 0.1}))
    assert sorted(train) == list(range(42))
    assert sorted(held) == list(range(42, 54))
    assert sorted(test) == list(range(54, 60))
    assert train == [day for day in DAYS if day < 42], "a part keeps the file's order"


def test_dates_are_times_too(shelf: Shelf) -> None:
    train, held, _ = days(shelf, spec(shelf, {"time": "when", "validation": 0.3}))
    assert max(day % 24 for day in train) <= min(day % 24 for day in held)


def test_a_column_says_which_rows_are_held_back(shelf: Shelf) -> None:
    chosen = spec(shelf, {"column": "part"})
    assert chosen.split_sizes == (40, 10, 10)
    train, held, test = days(shelf, chosen)
    assert held == DAYS[2::6].tolist()
    assert test == DAYS[3::6].tolist()
    assert sorted([*train, *held, *test]) == list(range(60))


@pytest.mark.parametrize("column", ["patient", "x"])
@pytest.mark.parametrize("test", [0.0, 0.15])
def test_a_split_by_group_keeps_each_group_whole(shelf: Shelf, column: str, test: float) -> None:
    chosen = spec(shelf, {"group": column, "validation": 0.25, "test": test})
    made = [{group(column, day) for day in part} for part in days(shelf, chosen)]
    assert [len(part) for part in days(shelf, chosen)] == list(chosen.split_sizes)
    assert not made[0] & made[1]
    assert not (made[0] | made[1]) & made[2]
    assert made[0]
    assert made[1]
    assert bool(made[2]) == (test > 0)
    assert sorted(day for part in days(shelf, chosen) for day in part) == list(range(60))


def test_which_groups_are_held_back_is_drawn_from_the_seed_and_the_test_from_its_own_share(shelf: Shelf) -> None:
    def parts(**split: Any) -> list[list[int]]:
        return days(shelf, spec(shelf, {"group": "patient", "test": 0.2, **split}))

    assert parts() == parts()
    assert parts()[1] != parts(seed=1)[1]
    assert parts()[2] == parts(validation=0.4)[2]


@pytest.mark.parametrize("way", [{}, {"stratify": False}, {"group": "patient"}], ids=["classes", "drawn", "group"])
def test_folds_hold_every_row_back_once_beside_the_test_part(shelf: Shelf, way: dict[str, Any]) -> None:
    settings = {"target": "part", "features": ["day"], "task": "classes"}
    fields = {"split": {"folds": 4, "test": 0.1, **way}, "preprocess": {"features": "none"}}
    chosen = shelf.spec(shelf.put("days.csv", CSV.encode()), settings, **fields)
    assert chosen.split.stratify == (not way)
    folds = [days(shelf, one) for one in chosen.rounds]
    (test,) = {tuple(fold[2]) for fold in folds}
    assert len(test) == chosen.test_samples > 0
    assert sorted([*test, *(day for fold in folds for day in fold[1])]) == list(range(60))
    for one, (train, held, _) in zip(chosen.rounds, folds, strict=True):
        assert sorted([*train, *held, *test]) == list(range(60))
        assert (len(train), len(held), len(test)) == one.split_sizes
        if "group" in way:
            assert not {group("patient", day) for day in held} & {group("patient", day) for day in (*train, *test)}
        if not way:
            assert {WORDS[row % 6] for row in rows(held)} == {*WORDS}, "every class in every fold"


def test_what_is_prepared_in_a_fold_is_prepared_by_its_own_training_part(shelf: Shelf) -> None:
    settings = {"target": "y", "features": ["day"]}
    chosen = shelf.spec(shelf.put("days.csv", CSV.encode()), settings, split={"folds": 3})
    means = []
    for one in chosen.rounds:
        made = data.make(one, cache=None, datasets=shelf.folder)
        assert isinstance(made.train, Samples)
        assert made.train.x.mean().item() == pytest.approx(0, abs=1e-6)
        means.append(made.columns.features.statistics())
    assert len({str(mean) for mean in means}) == 3


def test_a_group_that_is_another_size_than_when_it_was_queued_fails(shelf: Shelf) -> None:
    chosen = spec(shelf, {"group": "patient"}).model_dump(mode="json")
    chosen["dataset"]["facts"]["groups"] = "1x40 2x10"
    with pytest.raises(InvalidData, match="not as large as when"):
        data.make(JobSpec.model_validate(chosen), cache=None, datasets=shelf.folder)


def group(column: str, day: int) -> int:
    return day % 7 if column == "x" else int(OF_PATIENT[rows([day])[0]])


def rows(found: list[int]) -> list[int]:
    return [DAYS.tolist().index(day) for day in found]


@pytest.mark.parametrize(
    "split",
    [
        {"time": "when", "test": 0.2},
        {"column": "part"},
        {"group": "patient", "test": 0.2},
        {"group": "patient", "folds": 2, "test": 0.2},
    ],
    ids=["time", "column", "group", "folds"],
)
def test_such_a_run_goes_on_exactly_and_is_tested(bench: Bench, shelf: Shelf, split: dict[str, Any]) -> None:
    fields = spec(shelf, split, epochs=2, lr=0.01, checkpoints={"every_s": 0}).model_dump(mode="json")
    whole = bench.attempt(fields, datasets=shelf.folder)
    assert set(whole.every(Finished)[0].test or ()) == {"loss", "rmse"}
    for kept in whole.checkpoints:
        again = bench.attempt(fields, kept, datasets=shelf.folder)
        assert pieced(whole, kept, again) == whole.bits


def test_a_file_that_says_other_parts_than_when_it_was_queued_fails(shelf: Shelf) -> None:
    chosen = spec(shelf, {"column": "part"}).model_dump(mode="json")
    chosen["dataset"]["facts"]["split_counts"] = {"train": 45, "validation": 5, "test": 10}
    with pytest.raises(InvalidData, match="parts of"):
        data.make(JobSpec.model_validate(chosen), cache=None, datasets=shelf.folder)
