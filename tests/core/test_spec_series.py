"""What a spec may ask of a table as a series: shapes and sizes by arithmetic, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.dataset import Column, Dataset
from core.errors import SpecRefused
from core.job import Problem
from core.series import series_sizes, spans, windows
from core.spec import JobSpec, parse_spec
from tests.core.uploading import found, table

SALES = (
    Column("day", "date", 0, 100),
    Column("shop", "category", 0, 2, counts={"a": 30, "b": 70}),
    Column("sold", "number", 0, 60, 0.0, 9.0, 4.0),
    Column("rain", "number", 5, 40, 0.0, 1.0, 0.5),
    Column("holiday", "boolean", 0, 2),
    Column("note", "text", 0, 100),
    Column("id", "category", 0, 40),
)
ASKED: dict[str, Any] = {"time": "day", "window": 10, "horizon": 3}


def job(
    series: dict[str, Any] | None = None, *, columns: Any = SALES, rows: int = 100, dataset: Any = None, **fields: Any
) -> JobSpec:
    named = {"name": "upload", "id": "ds_1", "target": "sold", "series": {**ASKED, **(series or {})}, **(dataset or {})}
    return parse_spec({"dataset": named, "model": "mlp", **fields}, found(stored(columns, rows)))


def stored(columns: Any, rows: int) -> Dataset:
    return table(columns, rows=rows)


def refused(*args: Any, **fields: Any) -> dict[str, Problem]:
    with pytest.raises(SpecRefused) as told:
        job(*args, **fields)
    return {problem.pointer: problem for problem in told.value.problems}


def test_windows_are_counted_at_submission() -> None:
    spec = job(split={"validation": 0.2, "test": 0.1})
    assert spec.data_shape.samples == 100 - 10 - 3 + 1
    assert spec.data_shape.features == (2 + 1 + 3 + 41 + 1, 10)
    assert (spec.data_shape.task, spec.data_shape.outputs) == ("numbers", 3)
    assert tuple(spec.split_sizes) == (61 - 2, 18 - 2, 9)
    assert (spec.loss.name, spec.preprocess.target, spec.split.stratify) == ("mse", "standard", False)
    assert parse_spec(spec.model_dump(mode="json")) == spec


def test_each_series_is_counted_by_itself() -> None:
    spec = job({"group": "shop"})
    assert spec.data_shape.samples == (30 - 12) + (70 - 12)
    assert tuple(spec.split_sizes) == (12 + 44, 4 + 12, 0)
    assert "shop" not in spec.dataset.settings()["facts"].columns


def test_the_targets_own_past_suffices() -> None:
    assert job(dataset={"features": []}).data_shape.features == (1, 10)


@pytest.mark.parametrize("horizon", [1, 4])
@pytest.mark.parametrize("test", [0.0, 0.2])
def test_no_row_is_forecast_in_two_parts(horizon: int, test: float) -> None:
    parts = spans(50, window=7, horizon=horizon, validation=0.3, test=test)
    rows = [{at + 7 + ahead for at in part for ahead in range(horizon)} for part in parts.values()]
    assert not rows[0] & rows[1]
    assert not rows[1] & rows[2]
    assert sum(len(part) for part in parts.values()) + (horizon - 1) * (1 + bool(test)) == windows(
        50, window=7, horizon=horizon
    )
    sizes = series_sizes("50x2", window=7, horizon=horizon, validation=0.3, test=test)
    assert list(sizes) == [2 * len(part) for part in parts.values()]


@pytest.mark.parametrize(
    ("series", "pointer"),
    [
        ({"time": "dya"}, "/dataset/series/time"),
        ({"time": "shop"}, "/dataset/series/time"),
        ({"time": "sold"}, "/dataset/series/time"),
        ({"time": "rain"}, "/dataset/series/time"),
        ({"group": "shops"}, "/dataset/series/group"),
        ({"group": "day"}, "/dataset/series/group"),
        ({"group": "rain"}, "/dataset/series/group"),
        ({"group": "id"}, "/dataset/series/group"),
        ({"window": 98}, "/dataset/series/window"),
        ({"group": "shop", "window": 28}, "/dataset/series/window"),
        ({"window": 0}, "/dataset/series/window"),
    ],
)
def test_a_series_that_cannot_be_made_is_refused_where_it_is_wrong(series: dict[str, Any], pointer: str) -> None:
    told = refused(series)
    assert list(told) == [pointer]
    assert told[pointer].allowed is not None


def test_a_window_may_be_as_long_as_leaves_one_sample() -> None:
    assert refused({"window": 98})["/dataset/series/window"].allowed == {"maximum": 97}
    assert job({"window": 97}, split={"validation": 0}).data_shape.samples == 1


@pytest.mark.parametrize(
    ("dataset", "pointer"),
    [
        ({"target": "holiday"}, "/dataset/target"),
        ({"target": "shop"}, "/dataset/target"),
        ({"target": "rain"}, "/dataset/target"),
        ({"target": ["sold", "rain"]}, "/dataset/target"),
        ({"task": "classes"}, "/dataset/task"),
        ({"features": ["note"]}, "/dataset/features/0"),
    ],
)
def test_what_cannot_be_forecast_is_refused(dataset: dict[str, Any], pointer: str) -> None:
    assert pointer in refused(dataset=dataset)


@pytest.mark.parametrize(
    "split", [{"time": "day"}, {"group": "shop"}, {"folds": 3, "validation": None}, {"stratify": True}]
)
def test_a_series_is_split_in_its_own_order(split: dict[str, Any]) -> None:
    assert f"/split/{next(iter(split))}" in refused(split=split)


def test_a_share_that_leaves_no_window_is_refused() -> None:
    assert "/split/validation" in refused({"horizon": 12}, split={"validation": 0.1, "test": 0.1})


def test_only_tables_are_series() -> None:
    pictures = replace(stored(SALES, 100).profile, form="images", shape=(3, 4, 4), classes=("a", "b"))
    dataset = replace(stored(SALES, 100), profile=pictures)
    with pytest.raises(SpecRefused) as told:
        parse_spec({"dataset": {"name": "upload", "id": "ds_1", "series": ASKED}, "model": "mlp"}, found(dataset))
    assert [problem.pointer for problem in told.value.problems] == ["/dataset/series"]
