"""Parts of an uploaded table by its own columns: who trains, validates and tests is what the file says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidData
from core.events import Finished
from core.loop import data
from core.spec import JobSpec
from tests.core.loop.interrupting import Bench, pieced
from tests.core.uploading import Shelf

WORDS = ("train", "Train", "val", "test", "TRAINING", "train")
"""In this order, over and over: of 60 rows 40 train, 10 validate and 10 test."""
DAYS = np.random.default_rng(0).permutation(60)
CSV = "day,when,part,x,y\n" + "".join(
    f"{day},2026-01-01T{day % 24:02}:00:00,{WORDS[row % 6]},{day % 7},{3 * (day % 7) + row % 2}\n"
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


@pytest.mark.parametrize("split", [{"time": "when", "test": 0.2}, {"column": "part"}], ids=["time", "column"])
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
